"""What a query finds as instances to be sent: for C-MOVE, C-GET, and sending over the web."""

from dataclasses import replace

from pacs.archive import Archive
from pacs.errors import TooManyMatches
from pacs.model import Instance, Level
from pacs.query import Query

MOST_INSTANCES = 65_535  # sent for one request: numbers of sub-operations are US (PS3.7 Table E.1-1)

_UID_TAGS = ("0020000D", "0020000E", "00080018")


def select(archive: Archive, query: Query) -> list[Instance]:
    """All instances of what is found, none twice. Raises TooManyMatches."""
    level = max(query.level, Level.STUDY)
    limit = MOST_INSTANCES + 1 if query.limit is None else query.limit
    named: dict[tuple[str, ...], set[str]] = {}  # what of a study or series; an empty set for all of it
    for answer in archive.search(replace(query, level=level, limit=limit)):
        found = [of[tag]["Value"][0] for of, tag in zip(answer.levels, _UID_TAGS, strict=False)]
        named.setdefault(tuple(found[:2]), set()).update(found[2:])
    instances: list[Instance] = []
    for above, wanted in named.items():
        of_it = archive.instances(*above)
        instances += [one for one in of_it if not wanted or one.sop_instance_uid in wanted]
        if len(instances) > MOST_INSTANCES:
            raise TooManyMatches(f"more than {MOST_INSTANCES} instances are found; ask for them in parts")
    return instances
