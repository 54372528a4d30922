"""The query string of the search transaction as a Query of the archive (PS3.18 8.3.4 and 10.6.1.2)."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

from pydicom.datadict import tag_for_keyword

from pacs.attributes import ATTRIBUTES, BY_PATH, Attribute, Matching
from pacs.errors import InvalidQuery
from pacs.keys import parse_condition, parse_criteria
from pacs.model import DicomJson, Level
from pacs.query import Criterion, Query, Semantics

_MAX_PARAMETERS = 256
_MAX_VALUES = 1000
_MAX_VALUE_LENGTH = 512
_MAX_PATH_DEPTH = 8
# Warnings travel in a response header, which has little room.
_MAX_WARNINGS = 16

RETRIEVE_URL = "00081190"  # where what was found is; in every answer

_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
_PRESENTABLE_NAME = re.compile(r"[A-Za-z0-9_.]{1,64}")

# Which of the levels of an answer has an attribute: study and patient, series, instance
_PLACE = {a.json_key: max(0, a.level - Level.STUDY) for a in ATTRIBUTES}

# What is read from no object: it is kept, or made for the answer, which is in UTF-8 always
_KEPT = {*_PLACE, RETRIEVE_URL, "00080005"}

_PATH_KEYS = {Level.STUDY: "StudyInstanceUID", Level.SERIES: "SeriesInstanceUID"}


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What a search asks for, and what the client should be told about it.

    include: the outermost tags to answer with, such as "00100020", ascending; None for all that is kept.
    unindexed: those of them that the index does not keep, to be read from the objects.
    counted: whether the client wants to know how many answers there are.
    warnings: plain ASCII sentences for the Warning header, code 299.
    """

    query: Query
    include: tuple[str, ...] | None
    unindexed: frozenset[str]
    counted: bool
    warnings: tuple[str, ...]

    def picker(self) -> Callable[[Sequence[DicomJson]], DicomJson]:
        """What picks, from the levels of an answer, the attributes to be answered.

        They come in ascending order (PS3.18 F.2.2). The levels are those of `Found`, and one more with what
        only the web knows, such as Retrieve URL.
        """
        include = self.include
        if include is None:
            return lambda levels: dict(sorted(pair for level in levels for pair in level.items()))
        last = max(1, self.query.level)
        places = [(tag, min(_PLACE.get(tag, last), last)) for tag in include]
        return lambda levels: {tag: levels[at][tag] for tag, at in places if tag in levels[at]}


def parse_search(
    level: Level,
    parameters: Iterable[tuple[str, str]],
    study: str | None = None,
    series: str | None = None,
) -> SearchRequest:
    """What the parameters of a search at a level mean.

    parameters: names and values, percent-decoded, in their order; empty values kept.
    study, series: the UIDs of the path, where it has them.
    Raises InvalidQuery, naming the parameter, for a value that cannot be understood.
    """
    reading = _Reading(level)
    for count, (name, value) in enumerate(parameters):
        if count >= _MAX_PARAMETERS:
            raise InvalidQuery(f"the query string has more than {_MAX_PARAMETERS} parameters")
        reading.take(name, value)
    path = {Level.STUDY: study, Level.SERIES: series}
    criteria = [_path_criterion(at, uid) for at, uid in path.items() if uid is not None]
    query = Query(level, (*criteria, *reading.criteria()), limit=reading.limit, offset=reading.offset or 0)
    returned = _returned_by_default(level, study is None, series is None)
    asked = returned | reading.include | {RETRIEVE_URL}
    return SearchRequest(
        query,
        include=None if reading.include_all else tuple(sorted(asked)),
        unindexed=frozenset(asked - _KEPT),
        counted=reading.counted,
        warnings=tuple(dict.fromkeys(reading.warnings))[:_MAX_WARNINGS],
    )


def _path_criterion(level: Level, uid: str) -> Criterion:
    tag = tag_for_keyword(_PATH_KEYS[level]) or 0
    attribute = BY_PATH[(tag,)]
    condition = parse_condition(attribute, [uid])
    if condition is None:
        raise InvalidQuery(f"{attribute.keyword}: the path has no UID", tag)
    return Criterion(attribute, condition)


@cache
def _returned_by_default(level: Level, all_studies: bool, all_series: bool) -> frozenset[str]:
    """PS3.18 10.6.3.3: the attributes of the level, and of the levels above that the path leaves open."""
    levels = {level}
    if level is Level.STUDY or (level > Level.STUDY and all_studies):
        levels |= {Level.PATIENT, Level.STUDY}
    if level is Level.INSTANCE and all_series:
        levels.add(Level.SERIES)
    unique = {keyword for at, keyword in _PATH_KEYS.items() if at <= level}
    return frozenset(
        a.json_key for a in ATTRIBUTES if (_is_default(a, level) and a.level in levels) or a.keyword in unique
    )


def _is_default(attribute: Attribute, asked: Level) -> bool:
    """The counts of a patient are told to who asks for patients."""
    return attribute.default or (attribute.matching is Matching.COMPUTED and asked is Level.PATIENT)


@dataclass
class _Reading:
    """The parameters read so far."""

    level: Level
    values: dict[Attribute, list[str]] = field(default_factory=dict)
    include: set[str] = field(default_factory=set)
    include_all: bool = False
    counted: bool = False
    matching: set[str] = field(default_factory=set)
    limit: int | None = None
    offset: int | None = None
    warnings: list[str] = field(default_factory=list)

    def take(self, name: str, value: str) -> None:
        control, matching = _CONTROLS.get(name.lower()), _MATCHING.get(name.lower())
        if control is not None:
            control(self, value)
        elif matching is not None:
            self.matching |= {matching} if _truth(name, value) else set()
        else:
            self._key(name, value)

    def criteria(self) -> list[Criterion]:
        asked = {name: name in self.matching for name in _MATCHING.values()}
        return parse_criteria(self.values, Semantics(combined_datetime=True, **asked))

    def take_limit(self, value: str) -> None:
        self.limit = _whole_number("limit", value, self.limit)

    def take_offset(self, value: str) -> None:
        self.offset = _whole_number("offset", value, self.offset)

    def take_count(self, value: str) -> None:
        self.counted = _truth("count", value)

    def take_includefield(self, value: str) -> None:
        for item in value.split(","):
            name = item.strip()
            tags = _tags(name)
            if name.lower() == "all":
                self.include_all = True
            elif tags is not None:
                self.include |= _with_owner(f"{tags[0]:08X}")
            elif name:
                self.warnings.append(f"includefield {_shown(name)} is no attribute and is ignored")

    def pass_over(self, _: str) -> None:
        """What other rooms heed (content negotiation)."""

    def _key(self, name: str, value: str) -> None:
        tags = _tags(name)
        if tags is None:
            self.warnings.append(f"{_shown(name)} is unknown here and is ignored")
            return
        attribute = BY_PATH.get(tags)
        if attribute is None:
            self.warnings.append(f"{_shown(name)} is not kept for searching and is ignored")
        elif attribute.level > self.level:
            level = attribute.level.name.lower()
            self.warnings.append(f"{attribute.keyword} belongs to the {level} level and is ignored")
        else:
            self.include.add(attribute.json_key)
            self._match(attribute, value)

    def _match(self, attribute: Attribute, value: str) -> None:
        if attribute.matching in (Matching.RETURNED, Matching.COMPUTED):
            if value.strip() not in ("", "*"):
                self.warnings.append(f"{attribute.keyword} is returned but cannot be matched")
            return
        values = self.values.setdefault(attribute, [])
        values += _listed(attribute, value)
        if len(values) > _MAX_VALUES:
            raise InvalidQuery(f"{attribute.keyword}: more than {_MAX_VALUES} values", attribute.tags[-1])


# PS3.18 8.3.3 and 8.3.4, and `count`, which is ours. Their case does not matter: no keyword is among them.
_CONTROLS: dict[str, Callable[[_Reading, str], None]] = {
    "limit": _Reading.take_limit,
    "offset": _Reading.take_offset,
    "count": _Reading.take_count,
    "includefield": _Reading.take_includefield,
    "accept": _Reading.pass_over,
    "charset": _Reading.pass_over,
}

# PS3.18 8.3.4.2, 8.3.4.5, 8.3.4.6, with the names that Semantics has for them
_MATCHING = {
    "fuzzymatching": "fuzzy",
    "emptyvaluematching": "empty_value",
    "multiplevaluematching": "multiple_value",
}


def _with_owner(key: str) -> set[str]:
    """The tag, and of a private one also that which tells whose it is (PS3.5 7.8.1)."""
    is_private = key[3] in "13579BDF" and key[4:6] != "00"
    return {key, f"{key[:4]}00{key[4:6]}"} if is_private else {key}


def _truth(name: str, value: str) -> bool:
    text = value.strip().lower()
    if text not in ("true", "false", ""):
        raise InvalidQuery(f"{name}: expected true or false")
    return text == "true"


def _whole_number(name: str, value: str, earlier: int | None) -> int:
    if earlier is not None:
        raise InvalidQuery(f"{name}: it is given more than once")
    if not _WHOLE_NUMBER.fullmatch(value.strip()):
        raise InvalidQuery(f"{name}: expected a whole number of at most nine digits")
    return int(value)


def _listed(attribute: Attribute, value: str) -> list[str]:
    """The values that one parameter lists.

    UIDs, integers and code strings hold no comma, so there it parts a list (and so does the backslash, as in
    C-FIND). In names and texts it is a character like others.
    """
    is_list = attribute.matching in (Matching.UID, Matching.NUMBER) or attribute.vr == "CS"
    values = re.split(r"[,\\]", value) if is_list else [value]
    if any(len(one) > _MAX_VALUE_LENGTH or "\0" in one for one in values):
        raise InvalidQuery(
            f"{attribute.keyword}: a value is at most {_MAX_VALUE_LENGTH} characters, none of them null",
            attribute.tags[-1],
        )
    return values


def _tags(name: str) -> tuple[int, ...] | None:
    """The tags of an attribute path such as `PatientID`, `00100020` or `00400275.RequestedProcedureID`."""
    parts = name.split(".", _MAX_PATH_DEPTH)
    tags = [int(part, 16) if _TAG.fullmatch(part) else tag_for_keyword(part) for part in parts]
    known = tuple(tag for tag in tags if tag is not None)
    return known if len(known) == len(parts) else None


def _shown(name: str) -> str:
    """A parameter's name as it may stand in a header."""
    return name if _PRESENTABLE_NAME.fullmatch(name) else "a parameter"
