"""The query string of the search transaction as a Query of the archive (PS3.18 8.3.4 and 10.6.1.2)."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, Generic, TypeVar

from pydicom.datadict import tag_for_keyword

from pacs.attributes import ATTRIBUTES, BY_PATH, Attribute, Key, Matching
from pacs.errors import InvalidQuery
from pacs.keys import parse_condition, parse_criteria, parse_moments
from pacs.model import DicomJson, Level
from pacs.query import Condition, Criterion, Moments, Query, Semantics
from pacs.time_zones import OFFSET, asked_offset

_MAX_PARAMETERS = 256
_MAX_VALUES = 1000
_MAX_VALUE_LENGTH = 512
_MAX_PATH_DEPTH = 8
# Warnings travel in a response header, which has little room.
_MAX_WARNINGS = 16
_KNOWN_INCLUDES = 256  # sets of attributes that are asked for, and kept as they are answered

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
    zone: in which dates and times are asked and told, in minutes east of UTC.
    """

    query: Query
    include: tuple[str, ...] | None
    unindexed: frozenset[str]
    counted: bool
    warnings: tuple[str, ...]
    zone: int | None = None

    def picker(self) -> Callable[[Sequence[DicomJson]], DicomJson]:
        """What picks, from the levels of an answer, the attributes to be answered.

        They come in ascending order (PS3.18 F.2.2). The levels are those of `Found`, and one more with what
        only the web knows, such as Retrieve URL.
        """
        include = self.include
        if include is None:
            return lambda levels: dict(sorted(pair for level in levels for pair in level.items()))
        places = _places(include, max(1, self.query.level))
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
    reading = _LevelReading(BY_PATH, level=level)
    reading.take_all(parameters)
    path = {Level.STUDY: study, Level.SERIES: series}
    criteria = [_path_criterion(at, uid) for at, uid in path.items() if uid is not None]
    asked, moments = reading.moments()
    criteria += [Criterion(attribute, condition) for attribute, condition in asked]
    query = Query(
        level,
        tuple(criteria),
        limit=reading.limit,
        offset=reading.offset or 0,
        moments=moments,
        zone=reading.zone or 0,
    )
    returned = _returned_by_default(level, study is None, series is None)
    include, unindexed = _included(returned, frozenset(reading.include))
    return SearchRequest(
        query,
        include=None if reading.include_all else include,
        unindexed=unindexed,
        counted=reading.counted,
        warnings=reading.distinct_warnings(),
        zone=reading.zone,
    )


@lru_cache(_KNOWN_INCLUDES)
def _included(returned: frozenset[str], asked: frozenset[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """The tags to answer with, and those of them that the index does not keep."""
    tags = returned | asked | {RETRIEVE_URL}
    return tuple(sorted(tags)), tags - _KEPT


@lru_cache(_KNOWN_INCLUDES)
def _places(tags: tuple[str, ...], last: int) -> tuple[tuple[str, int], ...]:
    """Each tag, and in which of the levels of an answer it is.  last: the place of what no level has."""
    return tuple((tag, min(_PLACE.get(tag, last), last)) for tag in tags)


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


K = TypeVar("K", bound=Key)


@dataclass
class Reading(Generic[K]):
    """The parameters of a search, read one after the other.

    known: the keys that may be asked for, by their tags.
    """

    known: Mapping[tuple[int, ...], K]
    values: dict[K, list[str]] = field(default_factory=dict)
    include: set[str] = field(default_factory=set)
    include_all: bool = False
    counted: bool = False
    matching: set[str] = field(default_factory=set)
    limit: int | None = None
    offset: int | None = None
    warnings: list[str] = field(default_factory=list)

    def take_all(self, parameters: Iterable[tuple[str, str]]) -> None:
        """Take the parameters in their order. Raises InvalidQuery, naming what cannot be understood."""
        for count, (name, value) in enumerate(parameters):
            if count >= _MAX_PARAMETERS:
                raise InvalidQuery(f"the query string has more than {_MAX_PARAMETERS} parameters")
            self._take(name, value)

    def _take(self, name: str, value: str) -> None:
        control = _CONTROLS.get(name.lower())
        if control is not None:
            control(self, value)
        elif name.lower() in MATCHING:
            self.matching |= {name.lower()} if _truth(name, value) else set()
        else:
            self._key(name, value)

    def takes(self, attribute: K) -> bool:  # noqa: ARG002 - for those who do not take all that are known
        """Whether this may be asked for here; if not, it warns."""
        return True

    def semantics(self) -> Semantics:
        """What the keys are matched by, beyond the usual; it warns of what is asked and not done."""
        self.warnings += [f"The {name} parameter is not supported." for name in sorted(self.matching)]
        return Semantics(combined_datetime=True)

    def criteria(self) -> list[tuple[K, Condition]]:
        """What the keys ask. Raises InvalidQuery."""
        return parse_criteria(self.values, self.semantics())

    def distinct_warnings(self) -> tuple[str, ...]:
        """What the client should be told, plain ASCII."""
        return tuple(dict.fromkeys(self.warnings))[:_MAX_WARNINGS]

    def take_limit(self, value: str) -> None:
        """At most so many answers."""
        self.limit = _whole_number("limit", value, self.limit)

    def take_offset(self, value: str) -> None:
        """Answers passed over first."""
        self.offset = _whole_number("offset", value, self.offset)

    def take_count(self, value: str) -> None:
        """Whether the total is asked for."""
        self.counted = _truth("count", value)

    def take_includefield(self, value: str) -> None:
        """More attributes to answer with."""
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
        attribute = self.known.get(tags)
        if attribute is None:
            self.warnings.append(f"{_shown(name)} is not kept for searching and is ignored")
        elif self.takes(attribute):
            self.include.add(attribute.json_key)
            self._match(attribute, value)

    def _match(self, attribute: K, value: str) -> None:
        if attribute.matching in (Matching.RETURNED, Matching.COMPUTED):
            if value.strip() not in ("", "*"):
                self.warnings.append(f"{attribute.keyword} is returned but cannot be matched")
            return
        values = self.values.setdefault(attribute, [])
        values += _listed(attribute, value)
        if len(values) > _MAX_VALUES:
            raise InvalidQuery(f"{attribute.keyword}: more than {_MAX_VALUES} values", attribute.tags[-1])


# PS3.18 8.3.3 and 8.3.4, and `count`, which is ours. Their case does not matter: no keyword is among them.
_CONTROLS: dict[str, Callable[[Reading[Any], str], None]] = {
    "limit": Reading.take_limit,
    "offset": Reading.take_offset,
    "count": Reading.take_count,
    "includefield": Reading.take_includefield,
    "accept": Reading.pass_over,
    "charset": Reading.pass_over,
}

# PS3.18 8.3.4.2, 8.3.4.5, 8.3.4.6, with the names that Semantics has for them
MATCHING = {
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


@dataclass
class _LevelReading(Reading[Attribute]):
    """Of a search at a level of the hierarchy.

    zone: in which dates and times are asked, in minutes east of UTC (PS3.18 8.3.4.1.1); None for no such.
    """

    level: Level = Level.STUDY
    zone: int | None = None

    def moments(self) -> tuple[list[tuple[Attribute, Condition]], tuple[Moments, ...]]:
        """What the keys ask, and which dates and times in the zone. Raises InvalidQuery."""
        return (self.criteria(), ()) if self.zone is None else parse_moments(self.values, self.semantics())

    def _match(self, attribute: Attribute, value: str) -> None:
        if attribute.json_key == OFFSET and value.strip():
            # A plus that was not percent-encoded came as a blank
            self.zone = asked_offset(f"+{value[1:]}" if value.startswith(" ") else value)
        else:
            super()._match(attribute, value)

    def takes(self, attribute: Attribute) -> bool:
        if attribute.level <= self.level:
            return True
        level = attribute.level.name.lower()
        self.warnings.append(f"{attribute.keyword} belongs to the {level} level and is ignored")
        return False

    def semantics(self) -> Semantics:
        asked = {semantic: name in self.matching for name, semantic in MATCHING.items()}
        return Semantics(combined_datetime=True, **asked)


def _whole_number(name: str, value: str, earlier: int | None) -> int:
    if earlier is not None:
        raise InvalidQuery(f"{name}: it is given more than once")
    number = value.strip()
    if not _WHOLE_NUMBER.fullmatch(number):
        raise InvalidQuery(f"{name}: expected a whole number of at most nine digits")
    return int(number)


def _listed(attribute: Key, value: str) -> list[str]:
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
