"""The query string of a search as conditions, page and form of the answer (FHIR R4 3.1.1)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from fhir_api.conditions import Condition, Order, Value, Window
from fhir_api.outcome import RequestFault, invalid
from fhir_api.search_table import (
    PARAMETERS,
    Kind,
    SearchParameter,
    included_with,
    parameter_of,
    referring_to,
    sorts,
)
from fhir_api.search_values import listed, parse, parse_logical
from fhir_api.subset import Subset, subset_of

DEFAULT_COUNT = 50
MAX_COUNT = 1000

_MAX_VALUES = 256
_MAX_VALUE_LENGTH = 2000
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
_NAME = re.compile(r"([A-Za-z_-]+)(?::([A-Za-z]+))?(?:\.([A-Za-z_-]+))?")
_PRESENTABLE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


@dataclass(frozen=True, slots=True)
class Chain:
    """A condition on what a reference leads to, such as `patient.identifier`."""

    parameter: SearchParameter
    target: str
    inner: Condition


@dataclass(frozen=True, slots=True)
class Include:
    """Resources that are wanted beside the matches (FHIR R4 3.1.1.5.3).

    source: the type that refers.  targets: the types that may be referred to.
    is_reverse: whether those that refer to the matches are wanted, or those that the matches refer to.
    """

    source: str
    parameter: SearchParameter
    targets: tuple[str, ...]
    is_reverse: bool


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What a search asks for.

    used: the parameters that were heeded, for the links of the answer, without the page.
    count_only: only the number of matches is wanted.  subset: what of each match is told.
    exact_total: the total is wanted however many there are.
    """

    resource_type: str
    conditions: tuple[Condition | Chain, ...]
    includes: tuple[Include, ...]
    used: tuple[tuple[str, str], ...]
    window: Window
    count_only: bool
    subset: Subset
    exact_total: bool


def parse_search(
    resource_type: str, parameters: Iterable[tuple[str, str]], base: str, strict: bool
) -> SearchRequest:
    """What the parameters of a search for a resource type mean.

    parameters: names and values, percent-decoded, in their order.  base: our own address.
    strict: refuse unknown parameters, which are ignored otherwise.
    Raises RequestFault (400), naming the parameter.
    """
    reading = _Reading(resource_type, base, strict)
    for name, value in parameters:
        reading.take(name, value)
    if reading.summary == "text" and reading.includes:
        raise invalid("_summary", "nothing is included beside texts; leave _include and _revinclude out")
    count = min(DEFAULT_COUNT if reading.count is None else reading.count, MAX_COUNT)
    return SearchRequest(
        resource_type,
        tuple(reading.conditions),
        tuple(reading.includes),
        tuple(reading.used),
        Window(reading.offset, count, tuple(reading.order), reading.total != "none"),
        reading.summary == "count" or count == 0,
        subset_of(resource_type, reading.summary, reading.elements, strict),
        reading.total == "accurate",
    )


@dataclass
class _Reading:
    """The parameters read so far."""

    resource_type: str
    base: str
    strict: bool
    conditions: list[Condition | Chain] = field(default_factory=list)
    includes: list[Include] = field(default_factory=list)
    order: list[Order] = field(default_factory=list)
    used: list[tuple[str, str]] = field(default_factory=list)
    count: int | None = None
    offset: int = 0
    summary: str = ""
    elements: str = ""
    total: str = ""

    def take(self, name: str, value: str) -> None:
        if name in _CONTROLS:
            _CONTROLS[name](self, value)
            return
        match = _NAME.fullmatch(name)
        parameter = parameter_of(self.resource_type, match[1]) if match else None
        if match is None or parameter is None:
            self._unknown(name)
        elif value.strip():
            self._condition(name, value, parameter, match[2] or "", match[3] or "")

    def _condition(
        self, name: str, text: str, parameter: SearchParameter, modifier: str, chained: str
    ) -> None:
        texts = listed(text)
        if len(texts) > _MAX_VALUES or len(text) > _MAX_VALUES * _MAX_VALUE_LENGTH:
            raise invalid(parameter.name, f"more than {_MAX_VALUES} values")
        if any(len(one) > _MAX_VALUE_LENGTH for one in texts):
            raise invalid(parameter.name, f"a value is at most {_MAX_VALUE_LENGTH} characters")
        if chained:
            self._chain(name, texts, parameter, modifier, chained)
        else:
            self.conditions.append(Condition(parameter, self._values(texts, parameter, modifier)))
        self.used.append((name, text))

    def _values(self, texts: list[str], parameter: SearchParameter, modifier: str) -> tuple[Value, ...]:
        if modifier == "identifier":
            return tuple(value for text in texts for value in parse_logical(parameter, text))
        if modifier and modifier not in parameter.targets:
            raise invalid(parameter.name, f"the modifier :{modifier} is not supported here")
        return tuple(value for text in texts for value in parse(parameter, text, modifier, self.base))

    def _chain(
        self, name: str, texts: list[str], parameter: SearchParameter, target: str, chained: str
    ) -> None:
        targets = [target] if target else [one for one in parameter.targets if one in PARAMETERS]
        is_wrong = bool(target) and target not in parameter.targets
        if parameter.kind is not Kind.REFERENCE or parameter.is_logical or is_wrong:
            raise invalid(name, "it cannot be chained so")
        if len(targets) != 1:
            raise invalid(name, f"name the type, as {parameter.name}:Type.{chained}")
        inner = parameter_of(targets[0], chained)
        if inner is None:
            raise invalid(name, f"{targets[0]} has no search parameter {chained} here")
        self.conditions.append(Chain(parameter, targets[0], Condition(inner, self._values(texts, inner, ""))))

    def _unknown(self, name: str) -> None:
        shown = name if _PRESENTABLE.fullmatch(name) else "a parameter"
        if self.strict:
            message = f"{shown} is no search parameter of {self.resource_type} here; leave it out"
            raise RequestFault(400, "not-supported", message, shown if shown == name else "")

    def take_count(self, value: str) -> None:
        self.count = _whole_number("_count", value)

    def take_offset(self, value: str) -> None:
        self.offset = _whole_number("_offset", value)

    def take_summary(self, value: str) -> None:
        self.summary = value
        self.used += [("_summary", value)] if value in ("true", "text", "data") else []

    def take_elements(self, value: str) -> None:
        self.elements = value
        self.used.append(("_elements", value))

    def take_total(self, value: str) -> None:
        if value in ("none", "estimate", "accurate"):
            self.total = value
            self.used.append(("_total", value))
        elif self.strict:
            raise invalid("_total", "expected none, estimate or accurate")

    def take_sort(self, value: str) -> None:
        offered = sorts(self.resource_type)
        wanted = value.split(",")
        if all(one in offered for one in wanted):
            self.order = [Order(offered[one], one.startswith("-")) for one in wanted]
            self.used.append(("_sort", value))
        elif self.strict:
            message = f"_sort: {self.resource_type} is ordered by {', '.join(offered) or 'nothing'}"
            raise RequestFault(400, "not-supported", message, "_sort")

    def take_include(self, value: str) -> None:
        self._include("_include", value, included_with(self.resource_type))

    def take_revinclude(self, value: str) -> None:
        self._include("_revinclude", value, referring_to(self.resource_type))

    def _include(self, name: str, value: str, offered: Iterable[tuple[str, SearchParameter]]) -> None:
        source, _, rest = value.partition(":")
        asked, _, target = rest.partition(":")
        for kind, parameter in offered:
            if (kind, parameter.name) == (source, asked) and target in ("", *parameter.targets):
                targets = (target,) if target else parameter.targets
                self.includes.append(Include(source, parameter, targets, name == "_revinclude"))
                self.used.append((name, value))
                return
        if self.strict:
            message = f"{name}: there is no such link of {self.resource_type} here; see metadata"
            raise RequestFault(400, "not-supported", message, name)

    def take_format(self, value: str) -> None:
        self.used += [("_format", value)] if value else []  # the next page comes in the same form

    def take_pretty(self, value: str) -> None:
        self.used += [("_pretty", value)] if value else []


_CONTROLS = {
    "_count": _Reading.take_count,
    "_offset": _Reading.take_offset,
    "_summary": _Reading.take_summary,
    "_elements": _Reading.take_elements,
    "_total": _Reading.take_total,
    "_sort": _Reading.take_sort,
    "_include": _Reading.take_include,
    "_revinclude": _Reading.take_revinclude,
    "_format": _Reading.take_format,
    "_pretty": _Reading.take_pretty,
}


def _whole_number(name: str, value: str) -> int:
    if not _WHOLE_NUMBER.fullmatch(value):
        raise invalid(name, "expected a whole number of at most nine digits")
    return int(value)
