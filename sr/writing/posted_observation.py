"""What is posted as an Observation, and what of it a report can hold."""

import re
from dataclasses import dataclass
from decimal import Decimal

from sr.body_structure import BODY_SITE
from sr.codes import Code
from sr.coding_schemes import DCM, UCUM
from sr.identifiers import DICOM_UID
from sr.primitives import date_time, is_uid
from sr.ucum import is_ucum
from sr.writing.coded import read_concept, require_concept
from sr.writing.element import Element
from sr.writing.selection import Selection, read_selection

FINAL = "final"
_STATUSES = ("preliminary", FINAL)
_LONG_STRING = 64  # characters of LO
_NAME = 63  # characters of a component of PN, with the delimiter behind it 64
_SHORT_TEXT = 1024  # characters of what is told in UT, and need not be longer
_DECIMAL_STRING = 16  # characters of DS
_LARGEST_EXPONENT = 300
_LATERALITIES = frozenset({"7771000", "24028007", "51440002", "66459002", "260528009"})  # PS3.16 CID 244
_DATE_TIME = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:(\.\d{1,6})\d*)?(Z|[+-]\d\d:\d\d))?)?)?",
    re.ASCII,
)

# What is told by the archive, or by the resource that comes of it, whatever was posted.
_PASSED_OVER = frozenset(
    {"resourceType", "id", "meta", "language", "text", "category", "issued", "basedOn", "encounter"}
)
_HELD = frozenset(
    {
        *("contained", "extension", "identifier", "status", "code", "subject", "effectiveDateTime"),
        *("performer", "valueQuantity", "valueCodeableConcept", "valueString", "note"),
        *("bodySite", "method", "device", "derivedFrom", "partOf", "focus", "hasMember"),
    }
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as DS has it, with its digits, and its unit of UCUM."""

    written: str
    unit: Code


@dataclass(frozen=True, slots=True)
class Site:
    """A finding site. side: of PS3.16 CID 244.  modifier: any other qualifier."""

    code: Code
    side: Code | None = None
    modifier: Code | None = None


@dataclass(frozen=True, slots=True)
class Algorithm:
    """What measured, when it was a program (PS3.16 TID 4019)."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Posted:
    """An Observation that was posted.

    value: None for a group that says no finding.  observed: a DT value, "" when not told.
    identifiers: system and value of those of the Observation itself; a UID has the system `urn:dicom:uid`.
    tracking, tracking_uid: of what was measured; "" when not told.  performer: name of a person, or "".
    members: the references of a group.
    """

    code: Code
    value: Quantity | Code | str | None
    selection: Selection
    status: str
    performer: str
    observed: str
    site: Site | None
    method: Code | None
    algorithm: Algorithm | None
    identifiers: tuple[tuple[str, str], ...]
    tracking: str
    tracking_uid: str
    subject: str
    notes: tuple[str, ...]
    members: tuple[str, ...]


def read_posted(resource: object, path: str = "Observation", is_member: bool = False) -> Posted:
    """An Observation as parsed JSON, with decimals as Decimal. Raises Unusable for what a report cannot hold.

    is_member: whether it is of a group, which tells the imaging for it.
    """
    element = Element(resource, path)
    if element.members.get("resourceType") != "Observation":
        raise element.refuse("resourceType", "this must be Observation", "structure")
    element.only(_PASSED_OVER | _HELD)
    members = tuple(_reference(member) for member in element.each("hasMember"))
    value = _value(element)
    if value is None and not members:
        raise element.refuse(
            "value", "valueQuantity, valueCodeableConcept or valueString is missing", "required"
        )
    tracking, tracking_uid, identifiers = _identifiers(element)
    performers = [_performer(one) for one in element.each("performer")]
    if len(performers) > 1:
        raise element.refuse("performer", "one person at most", "too-costly")
    performer = "".join(performers)
    return Posted(
        code=require_concept(element, "code"),
        value=value,
        selection=read_selection(element, is_member),
        status=_status(element, performer, is_member),
        performer=performer,
        observed=_observed(element),
        site=_site(element),
        method=read_concept(element.child("method")),
        algorithm=_algorithm(element),
        identifiers=identifiers,
        tracking=tracking,
        tracking_uid=tracking_uid,
        subject=_reference(element.child("subject")) if "subject" in element.members else "",
        notes=tuple(_note(note) for note in element.each("note")),
        members=members,
    )


def _value(element: Element) -> Quantity | Code | str | None:
    told = [
        name for name in ("valueQuantity", "valueCodeableConcept", "valueString") if name in element.members
    ]
    if len(told) > 1:
        raise element.refuse(told[1], "an Observation has one value", "structure")
    match told:
        case ["valueQuantity"]:
            return _quantity(element.child("valueQuantity"))
        case ["valueCodeableConcept"]:
            return require_concept(element, "valueCodeableConcept")
        case ["valueString"]:
            text = element.text("valueString", _SHORT_TEXT)
            if not text:
                raise element.refuse("valueString", "it is empty", "required")
            return text
    return None


def _quantity(element: Element) -> Quantity:
    element.only({"value", "unit", "system", "code"})
    value = element.number("value")
    if value is None:
        raise element.refuse("value", "this is required", "required")
    unit = element.text("code", _DECIMAL_STRING)
    if element.text("system") != UCUM or not is_ucum(unit):
        raise element.refuse("code", f"units are codes of UCUM, whose system is {UCUM}", "code-invalid")
    meaning = element.text("unit", _LONG_STRING) or unit
    if "\\" in meaning:
        raise element.refuse("unit", "no unit of DICOM may have a backslash")
    return Quantity(_decimal_string(element, value), Code(unit, "UCUM", meaning))


def _decimal_string(element: Element, value: Decimal) -> str:
    """The number with all its digits in the 16 characters that DS has."""
    for written in (str(value), f"{value:f}" if abs(value.adjusted()) < _DECIMAL_STRING else ""):
        if 0 < len(written) <= _DECIMAL_STRING and abs(value.adjusted()) <= _LARGEST_EXPONENT:
            return written
    raise element.refuse("value", f"DICOM has room for {_DECIMAL_STRING} characters of a number", "too-long")


def _status(element: Element, performer: str, is_member: bool) -> str:
    """Who calls a member final is who calls its group so."""
    status = element.text("status")
    if status not in _STATUSES:
        raise element.refuse("status", "preliminary or final can be created here", "code-invalid")
    if status == FINAL and not performer and not is_member:
        raise element.refuse("performer", "who calls it final must be named", "required")
    return status


def _observed(element: Element) -> str:
    written = element.text("effectiveDateTime")
    match = _DATE_TIME.fullmatch(written)
    if not written:
        return ""
    *digits, fraction, zone = match.groups(default="") if match else ("", "")
    observed = "".join((*digits, fraction, "+0000" if zone == "Z" else zone.replace(":", "")))
    if not date_time(observed, ""):
        raise element.refuse("effectiveDateTime", "this is no date and time of FHIR")
    return observed


def _identifiers(element: Element) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """Tracking Identifier, Tracking Unique Identifier, and all others."""
    tracking = tracking_uid = ""
    others = []
    for identifier in element.each("identifier"):
        value = identifier.text("value", _LONG_STRING)
        uid = value.removeprefix("urn:oid:")
        types = [coding for coding in identifier.child("type").each("coding") if coding.text("system") == DCM]
        codes = {coding.text("code") for coding in types}
        if "112039" in codes and value:
            tracking = value
        elif "112040" in codes and is_uid(uid):
            tracking_uid = uid
        else:
            others.append(_other_identifier(identifier, value, uid))
    return tracking, tracking_uid, tuple(others)


def _other_identifier(identifier: Element, value: str, uid: str) -> tuple[str, str]:
    system = identifier.text("system", 256)
    if not value or not system or re.search(r"[\s|]", system):
        raise identifier.refuse("value", "an identifier needs a system and a value", "required")
    if system == DICOM_UID and not is_uid(uid):
        raise identifier.refuse("value", "this is no UID")
    return system, uid if system == DICOM_UID else value


def _performer(reference: Element) -> str:
    name = reference.text("display", _NAME)
    if not name or re.search(r"[\\^=]", name):
        raise reference.refuse(
            "display", "the name of who observed is required, as a person writes it", "required"
        )
    return name


def _reference(reference: Element) -> str:
    target = reference.text("reference")
    if not target:
        raise reference.refuse("reference", "this is required", "required")
    return target


def _note(note: Element) -> str:
    note.only({"text"})
    text = note.text("text", _SHORT_TEXT)
    if not text:
        raise note.refuse("text", "this is required", "required")
    return text


def _site(element: Element) -> Site | None:
    """bodySite, or the contained BodyStructure that its extension refers to."""
    code = read_concept(element.child("bodySite"))
    qualifiers: list[Code] = []
    for extension in element.each("extension"):
        if extension.text("url") != BODY_SITE:
            raise extension.refuse("url", "no report holds this extension", "extension")
        structure = _contained(element, extension.child("valueReference"), "BodyStructure")
        located = read_concept(structure.child("location"))
        if code is not None and located is not None and located.key != code.key:
            raise structure.refuse("location", "it is another site than bodySite", "conflict")
        code = code or located
        qualifiers += [one for each in structure.each("locationQualifier") if (one := read_concept(each))]
    if code is None:
        if qualifiers:
            raise element.refuse("bodySite", "there is a side, but no site", "required")
        return None
    sides = [one for one in qualifiers if one.scheme == "SCT" and one.value in _LATERALITIES]
    others = [one for one in qualifiers if one not in sides]
    if len(sides) > 1 or len(others) > 1:
        raise element.refuse("extension", "one side and one other qualifier at most", "too-costly")
    return Site(code, next(iter(sides), None), next(iter(others), None))


def _algorithm(element: Element) -> Algorithm | None:
    reference = element.child("device")
    if not reference:
        return None
    device = _contained(element, reference, "Device")
    names = [name.text("name", _LONG_STRING) for name in device.each("deviceName")]
    versions = [version.text("value", _LONG_STRING) for version in device.each("version")]
    if not any(names) or not any(versions):
        raise device.refuse("deviceName", "a program needs deviceName.name and version.value", "required")
    return Algorithm(names[0], versions[0])


def _contained(element: Element, reference: Element, resource_type: str) -> Element:
    """The contained resource that is referred to. Raises Unusable when it is not contained."""
    target = reference.text("reference")
    for resource in element.each("contained"):
        is_meant = target.startswith("#") and resource.members.get("id") == target[1:]
        if is_meant and resource.members.get("resourceType") == resource_type:
            return resource
    raise reference.refuse("reference", f"this must be a contained {resource_type}", "not-found")
