"""Reading objects in the DICOM JSON model (PS3.18 F.2), such as an index keeps them."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from pydicom.datadict import tag_for_keyword

# {"00100020": {"vr": "LO", "Value": ["4711"]}, ...}
Attributes = dict[str, Any]


def texts(attributes: Attributes, keyword: str) -> list[str]:
    """The values of an element that is no sequence and no person name; empty ones left out."""
    values = [str(value).strip() for value in _values(attributes, keyword) if value is not None]
    return [value for value in values if value]


def text(attributes: Attributes, keyword: str) -> str:
    """The first value of an element; empty when there is none."""
    if key(keyword) not in attributes:
        return ""
    for value in _values(attributes, keyword):
        if value is not None and (said := str(value).strip()):
            return said
    return ""


def items(attributes: Attributes, keyword: str) -> list[Attributes]:
    """The items of a sequence, or the names of a person name element, each a dict of component groups."""
    return [value for value in _values(attributes, keyword) if isinstance(value, dict)]


def item(attributes: Attributes, keyword: str) -> Attributes:
    """The first item of a sequence; an empty object when there is none."""
    return next((value for value in _values(attributes, keyword) if isinstance(value, dict)), {})


def count(attributes: Attributes, keyword: str) -> int | None:
    """The value of an integer element where FHIR takes it: an unsignedInt of at most 31 bits."""
    value = text(attributes, keyword)
    return int(value) if value.isascii() and value.isdecimal() and int(value) < 2**31 else None


def _values(attributes: Attributes, keyword: str) -> Sequence[Any]:
    element = attributes.get(key(keyword))
    values = element.get("Value") if isinstance(element, dict) else None
    return values if isinstance(values, list) else ()


@cache
def key(keyword: str) -> str:
    """The tag of a keyword as the key of an element. Raises LookupError when there is none."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise LookupError(f"{keyword} is not in the data dictionary")
    return f"{tag:08X}"
