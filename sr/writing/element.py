"""Posted FHIR elements, read with suspicion: whatever is not as FHIR has it is refused by its name."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from sr.primitives import string

_MAX_TEXT = 10_000  # characters


class Unusable(Exception):
    """What was posted cannot be written as a report.

    expression: FHIRPath of what is at fault.  code: of http://hl7.org/fhir/issue-type.
    The message never holds a value, which could identify a patient.
    """

    def __init__(self, expression: str, message: str, code: str = "value") -> None:
        super().__init__(f"{expression}: {message}")
        self.expression = expression
        self.code = code


class Element:
    """A JSON object with its FHIRPath. Members that are absent are empty, so that one may ask on."""

    def __init__(self, value: object, path: str) -> None:
        """Raises Unusable for what is no object."""
        if not isinstance(value, dict):
            raise Unusable(path, "this must be a JSON object", "structure")
        self.members: Mapping[str, Any] = value
        self.path = path

    def __bool__(self) -> bool:
        return bool(self.members)

    def refuse(self, name: str, message: str, code: str = "value") -> Unusable:
        """The fault of a member."""
        return Unusable(f"{self.path}.{name}" if name else self.path, message, code)

    def only(self, known: Collection[str]) -> None:
        """Raises Unusable for a member that is not among these: nothing that was posted may get lost."""
        for name in self.members:
            if name not in known:
                shown = name if name.isascii() and name.isidentifier() else "?"
                raise self.refuse(shown[:64], "a report cannot hold this here; leave it out", "not-supported")

    def child(self, name: str) -> "Element":
        """A member that is an object."""
        return Element(self.members.get(name, {}), f"{self.path}.{name}")

    def each(self, name: str) -> list["Element"]:
        """The items of a member that is a list."""
        items = self.members.get(name, [])
        if not isinstance(items, list):
            raise self.refuse(name, "this must be a JSON array", "structure")
        return [Element(item, f"{self.path}.{name}[{place}]") for place, item in enumerate(items)]

    def text(self, name: str, longest: int = _MAX_TEXT) -> str:
        """A member that is a text, without outer blanks; "" when absent."""
        text = self.members.get(name, "")
        if not isinstance(text, str):
            raise self.refuse(name, "this must be a JSON string", "structure")
        told = string(text)
        if told != text.strip():
            raise self.refuse(name, "there are characters in it that no FHIR string may hold")
        if len(told) > longest:
            raise self.refuse(name, f"more than the {longest} characters that DICOM has room for", "too-long")
        return told

    def number(self, name: str) -> Decimal | None:
        """A member that is a number, with the digits it came with."""
        number = self.members.get(name)
        if number is None:
            return None
        if isinstance(number, bool) or not isinstance(number, int | Decimal):
            raise self.refuse(name, "this must be a JSON number", "structure")
        return Decimal(number)
