"""What a work item must have when it is made, changed, and brought to its end (PS3.4 CC.2.5.1, 5.4.2.1)."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from pacs.attributes import Matching
from pacs.errors import InvalidWorkitem
from pacs.model import DicomJson
from pacs.query import normal_date, normal_date_time
from pacs.worklist.attributes import EMPTY, ENUMERATED, MAY_BE_WITHOUT_ITEMS, NOT_ALLOWED, TABLE, Row
from pacs.worklist.state import State

_NOT_OF_DATA_SETS = ("0000", "0002")  # the groups of commands and of file meta information

_CODE_VALUES = ("00080100", "00080119", "00080120")
_CODE_MEANING = "00080104"

_FORMS: dict[Matching, Callable[[str], object]] = {
    Matching.DATE: normal_date,
    Matching.DATETIME: normal_date_time,
    Matching.UID: re.compile(r"[0-9.]{1,64}").fullmatch,
}

# Final State Codes that ask for a value (Table CC.2.5-1); the condition of RC is "if known", which only the
# performer can tell
_REQUIRED_IN = {State.COMPLETED: ("R", "P"), State.CANCELED: ("R", "X")}


def check_creation(attributes: DicomJson) -> None:
    """Raises InvalidWorkitem, naming what is absent, empty or not allowed in a new work item."""
    _check(attributes, {row: row.create for row in TABLE})


def check_change(attributes: DicomJson) -> None:
    """Raises InvalidWorkitem, naming what is absent, empty or not allowed in a change of a work item."""
    _check(attributes, {row: row.change for row in TABLE})


def check_coded_entries(attributes: DicomJson, key: str) -> None:
    """Raises InvalidWorkitem, naming the tag, when a code sequence has an item that is no code."""
    if not all(_is_coded_entry(item) for item in attributes.get(key, {}).get("Value", ())):
        raise InvalidWorkitem(f"{key} has an item without code value or code meaning", int(key, 16))


def lacking_for(state: State, attributes: DicomJson) -> list[str]:
    """The attributes that a work item still lacks for a final state."""
    return [
        ".".join(row.path)
        for row in TABLE
        if row.final in _REQUIRED_IN[state]
        for holder in _holders(attributes, row)
        if not (_has_value(holder, row) or (row.keyword in MAY_BE_WITHOUT_ITEMS and _key(row) in holder))
    ]


def _check(attributes: DicomJson, types: dict[Row, str]) -> None:
    problems = [f"{key} is no attribute of a work item" for key in attributes if key[:4] in _NOT_OF_DATA_SETS]
    problems += [
        f"{'.'.join(row.path)} {problem}"
        for row, type_ in types.items()
        for holder in _holders(attributes, row)
        if (problem := _problem(holder, row, type_))
    ]
    if problems:
        raise InvalidWorkitem("; ".join(dict.fromkeys(problems)))


def _problem(holder: DicomJson, row: Row, type_: str) -> str:
    """What is wrong with an attribute in the data set, or item, that holds it; empty when nothing is."""
    if _key(row) not in holder:
        return "is missing" if type_ == EMPTY or type_.startswith(("1/", "2/")) else ""
    if type_ == NOT_ALLOWED:
        return "is not allowed here"
    if not _has_value(holder, row):
        # Of type 2/1 the provider fills in the value
        return "has no value" if "/1" in type_ and type_[0] != "2" else ""
    return (
        "has a value, but must be empty" if type_ == EMPTY else _wrong_value(holder[_key(row)]["Value"], row)
    )


def _wrong_value(values: list[Any], row: Row) -> str:
    allowed, normal = ENUMERATED.get(row.keyword), _FORMS.get(row.matching)
    if allowed and values[0] not in allowed:
        return f"is none of {', '.join(allowed)}"
    if normal is not None and any(normal(str(value)) is None for value in values):
        return f"is no {row.matching.name.lower()}"
    if row.is_code and not all(_is_coded_entry(item) for item in values):
        return "has an item without code value or code meaning"
    return ""


def _is_coded_entry(item: DicomJson) -> bool:
    """PS3.4 Table CC.2.5-2a."""
    has_value = any("Value" in item.get(key, {}) for key in _CODE_VALUES)
    return has_value and "Value" in item.get(_CODE_MEANING, {})


def _holders(attributes: DicomJson, row: Row) -> Iterator[DicomJson]:
    """The data set, or the items of the sequences on the way, that may hold an attribute."""
    holders = [attributes]
    for tag in row.tags[:-1]:
        holders = [item for holder in holders for item in holder.get(f"{tag:08X}", {}).get("Value", ())]
    return iter(holders)


def _has_value(holder: DicomJson, row: Row) -> bool:
    return "Value" in holder.get(_key(row), {})


def _key(row: Row) -> str:
    return f"{row.tags[-1]:08X}"
