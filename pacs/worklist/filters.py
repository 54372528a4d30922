"""The filter of a subscription to the worklist: the keys of a search, kept with it (PS3.4 CC.2.3.3.1)."""

from collections.abc import Mapping, Sequence

from pacs.attributes import Key
from pacs.index import Filter, path_name
from pacs.keys import parse_criteria
from pacs.query import Condition
from pacs.worklist.attributes import KEYS

_BY_NAME = {path_name(key.tags): key for key in KEYS}


def filter_of(values: Mapping[Key, Sequence[str]]) -> Filter:
    """The form in which a filter is kept."""
    return [(path_name(key.tags), list(given)) for key, given in values.items()]


def criteria_of(kept: Filter | None) -> list[tuple[Key, Condition]]:
    """The criteria of a filter, none of no filter. Raises InvalidQuery."""
    return parse_criteria({_BY_NAME[name]: list(values) for name, values in kept or ()})
