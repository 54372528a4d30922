"""Which images an Observation is of, and where in them it was measured.

The way back of `sr.imaging_selection`."""

import re
from dataclasses import dataclass, field

from sr.identifiers import DICOM_UID
from sr.imaging_selection import INSTANCE, SHAPES
from sr.primitives import is_uid
from sr.writing.element import Element

_GRAPHIC_TYPES = {shape.code: graphic_type for graphic_type, shape in SHAPES.items()}
_MOST_POINTS = 2000  # of a region
_LITERAL = re.compile(r"(?:[^\s?#]*/)?ImagingStudy/([0-9.]{1,64})")  # a UID is the same under any address
_REFERRING = ("derivedFrom", "partOf", "focus")
_LARGEST = 1_000_000  # columns and rows


@dataclass(frozen=True, slots=True)
class Region:
    """graphic_type: of PS3.3 C.18.6.1.2.  points: column and row in pixels, from the corner of the image."""

    graphic_type: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """study, instance: UIDs; instance is "" for the study as a whole.  frame: from 1, 0 for all.

    path: FHIRPath of the reference, no part of what it says.  study is "" where nothing was referred to.
    """

    study: str
    instance: str = ""
    frame: int = 0
    region: Region | None = None
    path: str = field(default="", repr=False, compare=False)


def read_selection(observation: Element, may_lack: bool = False) -> Selection:
    """What an Observation refers to. Raises Unusable unless it is one study, and one image at most."""
    found = [_selected(reference) for name in _REFERRING for reference in observation.each(name)]
    if not found:
        if may_lack:
            return Selection("", path=observation.path)
        message = "there must be a reference to the ImagingStudy that this was measured in"
        raise observation.refuse("derivedFrom", message, "required")
    if len({one.study for one in found}) > 1:
        raise observation.refuse("derivedFrom", "it refers to several studies", "multiple-matches")
    images = [one for one in found if one.instance]
    if len(images) > 1:
        raise observation.refuse("derivedFrom", "it refers to several images", "multiple-matches")
    return images[0] if images else found[0]


def _selected(reference: Element) -> Selection:
    study = _study(reference)
    extensions = reference.each("extension")
    if not extensions:
        return Selection(study, path=reference.path)
    if len(extensions) > 1 or extensions[0].text("url") != INSTANCE:
        raise reference.refuse("extension", f"one extension is known here, {INSTANCE}", "extension")
    (instance,) = extensions
    uid, frame, region = "", 0, None
    for part in _each_once(instance):
        match part.text("url"):
            case "uid":
                uid = (part.text("valueId") or part.text("valueOid")).removeprefix("urn:oid:")
            case "subset":
                frame = _frame(part)
            case "imageRegion2D":
                region = _region(part)
            case _:
                raise part.refuse("url", "uid, subset or imageRegion2D", "extension")
    if not is_uid(uid):
        raise instance.refuse("", "its extension uid must have the SOP Instance UID of an image")
    return Selection(study, uid, frame, region, reference.path)


def _each_once(instance: Element) -> list[Element]:
    """The extensions in an extension, each of its kind alone: of two nobody could tell which is meant."""
    parts = instance.each("extension")
    seen = set()
    for part in parts:
        if part.text("url") in seen:
            raise part.refuse(
                "url", "this is said twice; one image, frame and region are taken", "too-costly"
            )
        seen.add(part.text("url"))
    return parts


def _study(reference: Element) -> str:
    identifier = reference.child("identifier")
    if identifier and identifier.text("system") == DICOM_UID:
        told = identifier.text("value").removeprefix("urn:oid:")
    else:
        match = _LITERAL.fullmatch(reference.text("reference"))
        told = match[1] if match else ""
    if not is_uid(told):
        message = "a reference to an ImagingStudy: ImagingStudy/<UID>, or identifier urn:dicom:uid"
        raise reference.refuse("reference", message, "not-supported")
    return told


def _frame(part: Element) -> int:
    number = part.text("valueString")
    if not re.fullmatch(r"[1-9][0-9]{0,8}", number):
        raise part.refuse("valueString", "the number of a frame, from 1")
    return int(number)


def _region(part: Element) -> Region:
    kind, numbers = "", []
    for inner in part.each("extension"):
        match inner.text("url"):
            case "regionType":
                kind = inner.text("valueCode")
            case "coordinate":
                number = inner.number("valueDecimal")
                if number is None or not number.copy_abs() <= _LARGEST:
                    raise inner.refuse("valueDecimal", "a number of pixels")
                numbers.append(float(number))
            case _:
                raise inner.refuse("url", "regionType or coordinate", "extension")
    graphic_type = _GRAPHIC_TYPES.get(kind, "")
    if not graphic_type:
        raise part.refuse(
            "extension", f"regionType must be one of {', '.join(_GRAPHIC_TYPES)}", "code-invalid"
        )
    least, most = SHAPES[graphic_type].least, SHAPES[graphic_type].most or _MOST_POINTS
    if len(numbers) % 2 or not least <= len(numbers) // 2 <= most:
        raise part.refuse("extension", f"a {kind} has {least} to {most} points of two coordinates each")
    return Region(graphic_type, tuple(zip(numbers[::2], numbers[1::2], strict=True)))
