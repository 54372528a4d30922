"""What the data set of a procedure step must have: requirement types checked against a table (PS3.4 5.4)."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pacs.attributes import Key, Matching
from pacs.errors import InvalidStep
from pacs.model import DicomJson
from pacs.query import normal_date, normal_date_time, normal_time

NOT_ALLOWED = "Not allowed"
EMPTY = "2/2 empty"  # to be given, without a value

_NOT_OF_DATA_SETS = ("0000", "0002")  # the groups of commands and of file meta information

_CODE_VALUES = ("00080100", "00080119", "00080120")
_CODE_MEANING = "00080104"

_FORMS: dict[Matching, Callable[[str], object]] = {
    Matching.DATE: normal_date,
    Matching.TIME: normal_time,
    Matching.DATETIME: normal_date_time,
    Matching.UID: re.compile(r"[0-9.]{1,64}").fullmatch,
}


@dataclass(frozen=True)
class Row(Key):
    """One row of a table of requirements, in its own words.

    create, change: the requirement types of SCU and SCP for N-CREATE and N-SET.
    final: what the final state asks for.  returned: the Return Key Type, where it is returned.
    """

    create: str
    change: str
    final: str
    returned: str


K = TypeVar("K", bound=Key)

Enumerated = Mapping[str, tuple[str, ...]]


def check(attributes: DicomJson, types: Mapping[K, str], enumerated: Enumerated) -> None:
    """Raises InvalidStep, naming all that is absent, empty, wrong or not allowed.

    types: what is required of each row.  enumerated: by keyword, where no other values are taken.
    """
    problems = [f"{key} is no attribute of a data set" for key in attributes if key[:4] in _NOT_OF_DATA_SETS]
    problems += [
        f"{'.'.join(row.path)} {problem}"
        for row, type_ in types.items()
        for holder in _holders(attributes, row)
        if (problem := _problem(holder, row, type_, enumerated))
    ]
    if problems:
        raise InvalidStep("; ".join(dict.fromkeys(problems)))


def check_coded_entries(attributes: DicomJson, key: str) -> None:
    """Raises InvalidStep, naming the tag, when a code sequence has an item that is no code."""
    if not all(_is_coded_entry(item) for item in attributes.get(key, {}).get("Value", ())):
        raise InvalidStep(f"{key} has an item without code value or code meaning", int(key, 16))


def lacking(
    attributes: DicomJson, rows: Iterable[Key], may_be_empty: frozenset[str] = frozenset()
) -> list[str]:
    """Which of these rows have no value.  may_be_empty: keywords of sequences that need no items."""
    return [
        ".".join(row.path)
        for row in rows
        for holder in _holders(attributes, row)
        if not (_has_value(holder, row) or (row.keyword in may_be_empty and _key(row) in holder))
    ]


def _problem(holder: DicomJson, row: Key, type_: str, enumerated: Enumerated) -> str:
    """What is wrong with an attribute in the data set, or item, that holds it; empty when nothing is."""
    if _key(row) not in holder:
        return "is missing" if type_ == EMPTY or type_.startswith(("1/", "2/")) else ""
    if type_ == NOT_ALLOWED:
        return "is not allowed here"
    if not _has_value(holder, row):
        # Of type 2/1 the provider fills in the value
        return "has no value" if "/1" in type_ and type_[0] != "2" else ""
    if type_ == EMPTY:
        return "has a value, but must be empty"
    return _wrong_value(holder[_key(row)]["Value"], row, enumerated.get(row.keyword))


def _wrong_value(values: list[Any], row: Key, allowed: tuple[str, ...] | None) -> str:
    normal = _FORMS.get(row.matching)
    if allowed and values[0] not in allowed:
        return f"is none of {', '.join(allowed)}"
    if normal is not None and any(normal(str(value)) is None for value in values):
        return f"is no {row.matching.name.lower()}"
    if row.is_code and not all(_is_coded_entry(item) for item in values):
        return "has an item without code value or code meaning"
    return ""


def _is_coded_entry(item: DicomJson) -> bool:
    """PS3.4 Tables CC.2.5-2a and F.7.2-1a."""
    has_value = any("Value" in item.get(key, {}) for key in _CODE_VALUES)
    return has_value and "Value" in item.get(_CODE_MEANING, {})


def _holders(attributes: DicomJson, row: Key) -> Iterator[DicomJson]:
    """The data set, or the items of the sequences on the way, that may hold an attribute."""
    holders = [attributes]
    for tag in row.tags[:-1]:
        holders = [item for holder in holders for item in holder.get(f"{tag:08X}", {}).get("Value", ())]
    return iter(holders)


def _has_value(holder: DicomJson, row: Key) -> bool:
    return "Value" in holder.get(_key(row), {})


def _key(row: Key) -> str:
    return f"{row.tags[-1]:08X}"
