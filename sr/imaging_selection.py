"""Images, and regions in them, that content items refer to: what R5 has as ImagingSelection, told in R4.

R4 lets `derivedFrom` refer to an ImagingStudy. One such reference stands for one selection in the study: the
image and the region are in the extensions that FHIR reserves for elements of other versions.
"""

import math
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sr.content_tree import Coordinates, Item, ObjectReference
from sr.identifiers import study_reference
from sr.primitives import is_uid
from sr.report_header import Header

_ELEMENT = "http://hl7.org/fhir/5.0/StructureDefinition/extension-ImagingSelection"
INSTANCE = f"{_ELEMENT}.instance"
REGION_3D = f"{_ELEMENT}.instance.imageRegion3D"
FRAME_OF_REFERENCE = f"{_ELEMENT}.frameOfReferenceUid"

MOST_VALUES = 10_000  # coordinates, frames or segments of one selection
_LARGEST = 3.4e38  # of the numbers that Graphic Data has


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of region. code: of FHIR R5.  least, most: points that it has; most is 0 where that is open."""

    code: str
    least: int
    most: int = 0


# Graphic Type (PS3.3 C.18.6.1.2) in FHIR R5's imagingselection-2dgraphictype
SHAPES: Mapping[str, Shape] = {
    "POINT": Shape("point", 1, 1),
    "POLYLINE": Shape("polyline", 2),
    "CIRCLE": Shape("circle", 2, 2),
    "ELLIPSE": Shape("ellipse", 4, 4),
}
_POINTS = Shape("", 1)  # MULTIPOINT, which has no code
# Graphic Type (PS3.3 C.18.9.1.2) in FHIR R5's imagingselection-3dgraphictype
SHAPES_3D: Mapping[str, Shape] = {
    "POINT": Shape("point", 1, 1),
    "MULTIPOINT": Shape("multipoint", 1),
    "POLYLINE": Shape("polyline", 2),
    "POLYGON": Shape("polygon", 3),
    "ELLIPSE": Shape("ellipse", 4, 4),
    "ELLIPSOID": Shape("ellipsoid", 6, 6),
}


@dataclass(frozen=True, slots=True)
class Selection:
    """reference: for `derivedFrom`.  told: the items that it tells.  size: how many values it has."""

    reference: dict[str, Any]
    told: tuple[Item, ...]
    size: int


def study_of_regions(header: Header) -> str:
    """The study that regions in space are of: the only one that the report refers to, or else its own."""
    studies = {uid for uid in header.evidence.values() if uid}
    return studies.pop() if len(studies) == 1 else header.study_instance_uid


def selections(
    objects: Iterable[Item], items: Mapping[str, Item], header: Header, study: str
) -> Iterator[Selection]:
    """What items of role OBJECT select; what FHIR has no selection for (a time, say) selects nothing.

    items: those of the report, by position, for an item may stand for one elsewhere.
    study: of regions in space.
    """
    for item in objects:
        source = items.get(item.target, item)
        if isinstance(source.value, ObjectReference):
            yield from _instance(header, source.value, (), (item,))
        elif source.value_type == "SCOORD" and isinstance(source.value, Coordinates):
            yield from _region(header, item, source, source.value, items)
        elif source.value_type == "SCOORD3D" and isinstance(source.value, Coordinates):
            yield from _region_in_space(study, item, source.value)


def _region(
    header: Header, item: Item, source: Item, marked: Coordinates, items: Mapping[str, Item]
) -> Iterator[Selection]:
    """A region of each image that it was selected from; the image alone, where the region cannot be told.

    source: the SCOORD, which is the item itself, or what it stands for.
    """
    regions = [_shape("imageRegion2D", *one) for one in _in_plane(marked)]
    for child in source.children:
        image = items.get(child.target, child).value
        if isinstance(image, ObjectReference):
            own = (child,) if source is item else ()
            yield from _instance(header, image, regions, (item, *own) if regions else own)


def _in_plane(marked: Coordinates) -> list[tuple[Shape, tuple[float, ...]]]:
    """The shape and points of the regions that a SCOORD marks; R5 has each of several points for itself."""
    shape = _POINTS if marked.kind == "MULTIPOINT" else SHAPES.get(marked.kind)
    if shape is None or not _is_whole(marked.data, shape, 2):
        return []
    if shape is not _POINTS:
        return [(shape, marked.data)]
    return [(SHAPES["POINT"], marked.data[place : place + 2]) for place in range(0, len(marked.data), 2)]


def _region_in_space(study: str, item: Item, marked: Coordinates) -> Iterator[Selection]:
    """A region in a frame of reference, which is of no image."""
    shape = SHAPES_3D.get(marked.kind)
    if shape is None or not _is_whole(marked.data, shape, 3) or not is_uid(marked.frame_of_reference_uid):
        return
    place = {"url": FRAME_OF_REFERENCE, "valueId": marked.frame_of_reference_uid}
    extensions = [place, _shape(REGION_3D, shape, marked.data)]
    if is_uid(study):
        yield Selection(study_reference(study) | {"extension": extensions}, (item,), len(marked.data))


def _instance(
    header: Header, instance: ObjectReference, regions: Sequence[dict[str, Any]], told: tuple[Item, ...]
) -> Iterator[Selection]:
    uid = instance.sop_instance_uid
    study = header.evidence.get(uid) or header.study_instance_uid
    parts = instance.frames or instance.segments  # a frame of a segmentation is of one segment
    if not is_uid(uid) or not is_uid(study) or len(parts) > MOST_VALUES:
        return
    subset = [{"url": "subset", "valueString": str(part)} for part in parts]
    told_of_it = [{"url": "uid", "valueId": uid}, *subset, *regions]
    extension = {"url": INSTANCE, "extension": told_of_it}
    size = len(told_of_it) + sum(len(one["extension"]) for one in regions)
    yield Selection(study_reference(study) | {"extension": [extension]}, told, size)


def _shape(url: str, shape: Shape, data: Iterable[float]) -> dict[str, Any]:
    kind = {"url": "regionType", "valueCode": shape.code}
    numbers = [{"url": "coordinate", "valueDecimal": _decimal(number)} for number in data]
    return {"url": url, "extension": [kind, *numbers]}


def _is_whole(data: tuple[float, ...], shape: Shape, dimensions: int) -> bool:
    """Whether Graphic Data has as many points as its shape needs, and numbers alone."""
    points, rest = divmod(len(data), dimensions)
    is_enough = points >= shape.least and (not shape.most or points <= shape.most)
    is_plain = all(math.isfinite(number) and abs(number) <= _LARGEST for number in data)
    return not rest and is_enough and len(data) <= MOST_VALUES and is_plain


def _decimal(number: float) -> Decimal:
    """The shortest decimal for a number of 32 bits, which is what Graphic Data has: 10.1, not 10.1000004."""
    (stored,) = struct.unpack("<f", struct.pack("<f", number))
    candidates = (f"{stored:.{digits}g}" for digits in range(6, 10))
    return Decimal(
        next(one for one in candidates if struct.pack("<f", float(one)) == struct.pack("<f", stored))
    )
