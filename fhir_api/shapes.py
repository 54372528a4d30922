"""What is alike in searches that differ by their values: their SQL is built once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from fhir_api.conditions import Condition, LogicalReference, Pair, Reference, Span, Text, Token, Value

_ESCAPED = str.maketrans({"/": "//", "%": "/%", "_": "/_"})


@dataclass(frozen=True, slots=True)
class Shape:
    """Conditions in which the number of a parameter stands for each value, and the parameters by name."""

    conditions: tuple[Condition, ...]
    parameters: dict[str, str | float]


def shape_of(conditions: Sequence[Condition]) -> Shape:
    """The shape of conditions, and what they ask. The beginning of a text becomes a pattern of LIKE."""
    numbers = _Numbers()
    shaped = tuple(Condition(one.parameter, tuple(map(numbers.shape, one.values))) for one in conditions)
    return Shape(shaped, numbers.parameters)


def parameter_name(number: str | float) -> str:
    """The name of the parameter whose number stands for a value."""
    return f"v{int(number)}"


@dataclass(slots=True)
class _Numbers:
    parameters: dict[str, str | float] = field(default_factory=dict)

    def shape(self, value: Value) -> Value:
        match value:
            case Token():
                return self._token(value)
            case Reference(target):
                return Reference(str(self._number(target)))
            case LogicalReference(token):
                return LogicalReference(self._token(token))
            case Text(beginning):
                return Text(str(self._number(f"{beginning.translate(_ESCAPED)}%")))
            case Span(prefix, low, high, unit):
                return Span(prefix, self._number(low), self._number(high), unit and self._token(unit))
            case Pair(first, second):
                return Pair(self.shape(first), self.shape(second))
        raise TypeError(f"{type(value).__name__} is not kept for searching")

    def _token(self, token: Token) -> Token:
        numbers = (None if one is None else str(self._number(one)) for one in (token.system, token.value))
        return Token(*numbers)

    def _number(self, value: str | float) -> int:
        number = len(self.parameters)
        self.parameters[parameter_name(number)] = value
        return number
