"""What the data set of a procedure step must have: requirement types checked against a table (PS3.4 5.4)."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydicom.datadict import tag_for_keyword

from pacs.attributes import Key, Matching
from pacs.errors import AttributeEmpty, AttributeMissing, InvalidStep
from pacs.model import DicomJson
from pacs.query import normal_date, normal_date_time, normal_time

NOT_ALLOWED = "Not allowed"
EMPTY = "2/2 empty"  # to be given, without a value

_NOT_OF_DATA_SETS = ("0000", "0002")  # the groups of commands and of file meta information

# A type with the condition that the same data set or item fulfils: "1C/1C if UniversalEntityID",
# "1C/1C unless LocalNamespaceEntityID", "1C/1C if ValueType is CODE"
_CONDITIONAL = re.compile(r"(?P<type>\S+) (?P<word>if|unless) (?P<keyword>\w+)(?: is (?P<value>\w+))?")

_MISSING, _EMPTY = "is missing", "has no value"

_OF_A_SCHEME = ("00080100", "00080119")  # CodeValue, LongCodeValue
_URN, _SCHEME, _MEANING = "00080120", "00080102", "00080104"

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
    The types of 1C may name their condition.
    """

    create: str
    change: str
    final: str
    returned: str


K = TypeVar("K", bound=Key)

Enumerated = Mapping[str, tuple[str, ...]]


def check(
    attributes: DicomJson,
    types: Mapping[K, str],
    enumerated: Enumerated,
    without_meaning: frozenset[str] = frozenset(),
) -> None:
    """Raises InvalidStep, naming all that is absent, empty, wrong or not allowed, by the first of these.

    types: what is required of each row.  enumerated: by keyword, where no other values are taken.
    without_meaning: the code sequences, by keyword, whose items need no code meaning.
    """
    problems = [f"{key} is no attribute of a data set" for key in attributes if key[:4] in _NOT_OF_DATA_SETS]
    for row, type_ in types.items():
        for holder in _holders(attributes, row):
            problem = _problem(holder, row, _in_force(holder, type_))
            problem = problem or _wrong_value(holder, row, enumerated, row.keyword not in without_meaning)
            problems += [f"{'.'.join(row.path)} {problem}"] if problem else []
    if problems:
        raise _kind_of(problems)("; ".join(dict.fromkeys(problems)))


def _kind_of(problems: Iterable[str]) -> type[InvalidStep]:
    """What is absent is told before what is empty, and that before what is wrong (PS3.7 10.1.5.1.6)."""
    for kind, words in ((AttributeMissing, _MISSING), (AttributeEmpty, _EMPTY)):
        if any(problem.endswith(words) for problem in problems):
            return kind
    return InvalidStep


def check_coded_entries(attributes: DicomJson, key: str) -> None:
    """Raises InvalidStep, naming the tag, when a code sequence has an item that is no code."""
    if wrong := _wrong_code(attributes.get(key, {}).get("Value", ())):
        raise InvalidStep(f"{key} {wrong}", int(key, 16))


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


def with_empty(holder: DicomJson, rows: Iterable[Key]) -> DicomJson:
    """A copy in which these are there, if only without a value, in each item that may hold them (type 2)."""
    for row in rows:
        holder = _with_empty(holder, row, 0)
    return holder


def _with_empty(holder: DicomJson, row: Key, depth: int) -> DicomJson:
    key = f"{row.tags[depth]:08X}"
    if depth < len(row.path) - 1:
        items = holder.get(key, {}).get("Value")
        filled = items and {"vr": "SQ", "Value": [_with_empty(item, row, depth + 1) for item in items]}
        return holder | {key: filled} if filled else holder
    return holder if key in holder else dict(sorted((holder | {key: {"vr": row.vr}}).items()))


def _in_force(holder: DicomJson, type_: str) -> str:
    """A type without its condition: 1C is 1 where it is fulfilled, and else 3."""
    conditional = _CONDITIONAL.fullmatch(type_)
    if conditional is None:
        return type_
    key = f"{tag_for_keyword(conditional['keyword']) or 0:08X}"
    values = holder.get(key, {}).get("Value", ())
    has = conditional["value"] in values if conditional["value"] else bool(values)
    is_met = has is (conditional["word"] == "if")
    return conditional["type"].replace("C", "") if is_met else "3/3"


def _problem(holder: DicomJson, row: Key, type_: str) -> str:
    """What the data set, or item, that may hold an attribute lacks or has too much; empty when nothing."""
    if _key(row) not in holder:
        return _MISSING if type_ == EMPTY or type_.startswith(("1/", "2/")) else ""
    if type_ == NOT_ALLOWED:
        return "is not allowed here"
    if not _has_value(holder, row):
        # Of type 2/1 the provider fills in the value
        return _EMPTY if "/1" in type_ and type_[0] != "2" else ""
    return "has a value, but must be empty" if type_ == EMPTY else ""


def _wrong_value(holder: DicomJson, row: Key, enumerated: Enumerated, needs_meaning: bool) -> str:
    values = holder.get(_key(row), {}).get("Value")
    if not values:
        return ""
    normal, allowed = _FORMS.get(row.matching), enumerated.get(row.keyword)
    if allowed and values[0] not in allowed:
        return f"is none of {', '.join(allowed)}"
    if normal is not None and any(normal(str(value)) is None for value in values):
        return f"is no {row.matching.name.lower()}"
    return _wrong_code(values, needs_meaning) if row.is_code else ""


def _wrong_code(items: Iterable[DicomJson], needs_meaning: bool = True) -> str:
    """What is wrong with coded entries (PS3.4 Tables 8-1b, CC.2.5-2a, F.7.2-1b, d, f)."""
    for item in items:
        has = {key for key, element in item.items() if "Value" in element}
        if not has & {*_OF_A_SCHEME, _URN}:
            return "has an item without code value"
        if has & {*_OF_A_SCHEME} and _SCHEME not in has:
            return "has an item without coding scheme designator"
        if needs_meaning and _MEANING not in has:
            return "has an item without code meaning"
    return ""


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
