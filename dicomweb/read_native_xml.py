"""The Native DICOM Model (PS3.19 A.1) read into the DICOM JSON model: the other direction of `native_xml`."""

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from dicomweb.native_xml import NAME_COMPONENTS, NAME_GROUPS
from pacs.dataset.elements import MAXIMUM_DEPTH, TooDeep
from pacs.errors import MalformedObject
from pacs.model import DicomJson

_MOST_ABSENT = 10_000  # values in one attribute that are not there


def read_native_xml(document: bytes) -> DicomJson:
    """One data set. Numbers stay text, as the DICOM JSON model allows.

    Raises MalformedObject for what is no such document, and for one with a document type or entities.
    """
    try:
        root = fromstring(document, forbid_dtd=True)
    except DefusedXmlException as error:
        raise MalformedObject("XML: a document type or entities have no place in metadata") from error
    except (ParseError, ValueError, LookupError) as error:
        raise MalformedObject("XML: the document is not well formed") from error
    if _local(root) != "NativeDicomModel":
        raise MalformedObject("XML: the root is not NativeDicomModel (PS3.19 A.1)")
    return _data_set(root, 0)


def _local(element: Element) -> str:
    """The name without its namespace, which some senders leave out."""
    return str(element.tag).rpartition("}")[2]


def _data_set(parent: Element, depth: int) -> DicomJson:
    if depth > MAXIMUM_DEPTH:
        raise TooDeep(f"XML: sequences are nested deeper than {MAXIMUM_DEPTH} levels")
    attributes = [element for element in parent if _local(element) == "DicomAttribute"]
    owned = [element for element in attributes if element.get("privateCreator")]
    data_set = {_key(a): _attribute(a, depth) for a in attributes if not a.get("privateCreator")}
    for element in owned:
        data_set[_private_key(data_set, element)] = _attribute(element, depth)
    return data_set


def _key(attribute: Element) -> str:
    return attribute.get("tag", "").upper()


def _private_key(data_set: DicomJson, attribute: Element) -> str:
    """The tag in a block that its owner has reserved, or reserves now (PS3.5 7.8.1)."""
    key, owner = _key(attribute), attribute.get("privateCreator", "")
    group, number = key[:4], key[6:]
    free = ""
    for block in map("{:02X}".format, range(0x10, 0x100)):
        reserved = data_set.get(f"{group}00{block}", {}).get("Value")
        if reserved == [owner] and f"{group}{block}{number}" not in data_set:
            return f"{group}{block}{number}"
        if reserved is None and not free:
            free = block
    if not free:
        raise MalformedObject("XML: a private attribute finds no free block in its group")
    data_set[f"{group}00{free}"] = {"vr": "LO", "Value": [owner]}
    return f"{group}{free}{number}"


def _attribute(attribute: Element, depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {"vr": attribute.get("vr", "")}
    values: list[Any] = []
    for child in attribute:
        match _local(child):
            case "BulkData":
                made["BulkDataURI"] = child.get("uri") or child.get("uuid")
            case "InlineBinary":
                made["InlineBinary"] = "".join((child.text or "").split())
            case kind:
                _put(values, child, _value(kind, child, depth))
    if values:
        made["Value"] = values
    return made


def _put(values: list[Any], child: Element, value: Any) -> None:
    """Add a value at the number that it bears; those between are not there."""
    text = child.get("number", "")
    absent = int(text) - 1 - len(values) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 0 <= absent <= _MOST_ABSENT:
        raise MalformedObject("XML: the values of an attribute are not numbered from 1 on, in their order")
    values += [None] * absent
    values.append(value)


def _value(kind: str, child: Element, depth: int) -> Any:
    match kind:
        case "Value":
            return child.text
        case "Item":
            return _data_set(child, depth + 1)
        case "PersonName":
            return dict(_name_groups(child))
    raise MalformedObject("XML: an attribute holds what is no value of PS3.19 A.1")


def _name_groups(name: Element) -> Iterator[tuple[str, str]]:
    for group in name:
        if _local(group) in NAME_GROUPS:
            parts = {_local(part): part.text or "" for part in group}
            yield _local(group), "^".join(parts.get(part, "") for part in NAME_COMPONENTS).rstrip("^")
