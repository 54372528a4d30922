"""The versions of what is kept: what a resource was before, and that it was withdrawn.

Only what changes leaves a version behind. What is withdrawn leaves nothing that it said, for who had a report
deleted or rejected wants it to be read no more: just the number under which it was withdrawn.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    delete,
    func,
    insert,
    inspect,
    literal,
    or_,
    select,
)

from fhir_api.answers import Answer
from fhir_api.resource_table import Name, bearing, mapping, past_version, resource

MOST_PAST = 20  # versions of one resource that stay beside the present one

_MOST_DIGITS = 18  # of a version that can be in a column


class Place(NamedTuple):
    """Where a version stands among others: the newest first, and of one moment by number and id."""

    last_updated: float
    version: int
    resource_id: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which versions of resources of a type are wanted.

    resource_id: of one resource, "" for all.  since: seconds since 1970.
    after: the place of the last one that was given, None for the first page.
    """

    resource_type: str
    resource_id: str
    since: float
    after: Place | None
    limit: int


def highest(connection: Connection) -> int:
    """The highest version that was ever given, by whatever older form of the tables; 0 when none was."""
    columns = resource.c.version, past_version.c.version, mapping.c.first_version
    inspector = inspect(connection)
    given = [0]
    for column in columns:
        name = column.table.name
        if inspector.has_table(name) and column.name in {one["name"] for one in inspector.get_columns(name)}:
            given.append(connection.scalar(select(func.max(column))) or 0)
    return max(given)


def for_new(connection: Connection, names: Sequence[Name]) -> dict[Name, int]:
    """The version that each resource begins with that is not there, or not any more."""
    first = connection.scalar(select(mapping.c.first_version)) or 1
    found = dict.fromkeys(names, first)
    columns = past_version.c.type, past_version.c.id, past_version.c.version
    for some in bearing(past_version, names):
        for kind, name, version in connection.execute(select(*columns).where(some)):
            found[kind, name] = max(found[kind, name], version + 1)
    return found


def keep_past(connection: Connection, key: int) -> None:
    """Keep what a resource is, which is about to change, and let go of what is too long ago."""
    columns = [column.name for column in past_version.columns]
    present = select(*(resource.c[name] for name in columns)).where(resource.c.key == key)
    connection.execute(insert(past_version).from_select(columns, present))
    oldest = select(resource.c.version - (MOST_PAST - 1)).where(resource.c.key == key).scalar_subquery()
    connection.execute(delete(past_version).where(_is_of(key), past_version.c.version < oldest))


def withdraw(connection: Connection, key: int, now: float) -> None:
    """Let one number stand for all versions of a resource, whose row is about to go."""
    connection.execute(delete(past_version).where(_is_of(key)))
    gone = (resource.c.type, resource.c.id, resource.c.version + 1, literal(b""), literal(now))
    columns = [column.name for column in past_version.columns]
    connection.execute(insert(past_version).from_select(columns, select(*gone).where(resource.c.key == key)))


def is_withdrawn(connection: Connection, resource_type: str, resource_id: str) -> bool:
    """Whether the last that is known of a resource is in the past."""
    mine = past_version.c.type == resource_type, past_version.c.id == resource_id
    return connection.execute(select(past_version.c.version).where(*mine).limit(1)).first() is not None


def read(connection: Connection, resource_type: str, resource_id: str, version: str) -> Answer | None:
    """A past version; None when it is not known."""
    if not (version.isascii() and version.isdecimal() and len(version) <= _MOST_DIGITS):
        return None
    columns = past_version.c
    mine = and_(columns.type == resource_type, columns.id == resource_id, columns.version == int(version))
    row = connection.execute(select(past_version).where(mine)).one_or_none()
    return None if row is None else Answer(row.type, row.id, row.content, str(row.version), row.last_updated)


def page(connection: Connection, wanted: Wanted) -> list[Answer]:
    """The wanted versions, past and present."""
    past, present = (list(_versions(connection, table, wanted)) for table in (past_version, resource))
    return list(islice(merge(past, present, key=_newest_first), wanted.limit))


def place_of(answer: Answer) -> Place:
    """Where a version stands."""
    return Place(answer.last_updated or 0.0, int(answer.version), answer.resource_id)


def _newest_first(answer: Answer) -> tuple[float, int, str]:
    place = place_of(answer)
    return -place.last_updated, -place.version, place.resource_id


def _versions(connection: Connection, table: Table, wanted: Wanted) -> Iterator[Answer]:
    at, version, name = table.c.last_updated, table.c.version, table.c.id
    where = [table.c.type == wanted.resource_type]
    where += [name == wanted.resource_id] if wanted.resource_id else []
    # Those of one resource are not to be found by their moments: SQLite would go through all of the type
    moment = at + 0 if wanted.resource_id else at
    where.append(moment >= wanted.since)
    where += [_stands_after(table, moment, wanted.after)] if wanted.after else []
    found = select(table.c.type, name, table.c.content, version, at).where(*where)
    for row in connection.execute(found.order_by(moment.desc(), version.desc(), name).limit(wanted.limit)):
        yield Answer(row.type, row.id, row.content, str(row.version), row.last_updated)


def _stands_after(table: Table, at: ColumnElement[float], place: Place) -> ColumnElement[bool]:
    version, name = table.c.version, table.c.id
    lower = or_(version < place.version, and_(version == place.version, name > place.resource_id))
    return and_(at <= place.last_updated, or_(at < place.last_updated, lower))


def _is_of(key: int) -> ColumnElement[bool]:
    """Past versions of the resource with this key."""
    kind, name = (select(column).where(resource.c.key == key) for column in (resource.c.type, resource.c.id))
    return and_(past_version.c.type == kind.scalar_subquery(), past_version.c.id == name.scalar_subquery())
