"""A measurement group of PS3.16 TID 1501, or TID 1410 where a region is of the group itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from highdicom import sr as hd
from pydicom import Dataset

from sr.codes import Code
from sr.identifiers import DICOM_UID
from sr.roles import COMMENT, IDENTIFIER
from sr.templates.measurement_report import MEASUREMENT_GROUP
from sr.writing.posted_observation import Algorithm, Posted, Quantity, Site
from sr.writing.selection import Region, Selection

Source = TypeVar("Source")

_COMMENT = hd.CodedConcept(COMMENT[1], COMMENT[0], "Comment")
_IDENTIFIER = hd.CodedConcept(IDENTIFIER[1], IDENTIFIER[0], "Identifier")
_TRACKING_IDENTIFIER = hd.CodedConcept("112039", "DCM", "Tracking Identifier")
_TRACKING_UID = hd.CodedConcept("112040", "DCM", "Tracking Unique Identifier")
_HAS_OBS_CONTEXT = hd.RelationshipTypeValues.HAS_OBS_CONTEXT
_HAS_PROPERTIES = hd.RelationshipTypeValues.HAS_PROPERTIES
_CONTAINS = hd.RelationshipTypeValues.CONTAINS


def measurement_group(
    posted: Posted, members: Sequence[Posted], classes: Mapping[str, str], tracking_uid: str, observed: str
) -> hd.MeasurementsAndQualitativeEvaluations | hd.PlanarROIMeasurementsAndQualitativeEvaluations:
    """The group of what was posted.

    posted: one measurement, or a group of these members.
    classes: the SOP Class UIDs of the images, by SOP Instance UID.
    tracking_uid, observed: used where nothing was told of them; a UID, and a DT value.
    """
    values = members or (replace(posted, site=None, method=None, algorithm=None),)
    numbers = [_number(one, one.value, classes) for one in values if isinstance(one.value, Quantity)]
    region = posted.selection.region
    common: dict[str, Any] = {
        "tracking_identifier": hd.TrackingIdentifier(
            posted.tracking_uid or tracking_uid, posted.tracking or posted.code.label
        ),
        "method": _any(posted.method),
        "algorithm_id": _algorithm(posted.algorithm),
        "finding_sites": _sites(posted.site),
        "measurements": numbers,
        **(_finding(posted) if members else {}),
    }
    group: hd.MeasurementsAndQualitativeEvaluations | hd.PlanarROIMeasurementsAndQualitativeEvaluations
    if region is not None and (members or not numbers):
        group = hd.PlanarROIMeasurementsAndQualitativeEvaluations(
            referenced_region=_region(region, posted.selection, classes), **common
        )
    else:
        group = hd.MeasurementsAndQualitativeEvaluations(
            source_images=_images(posted.selection, classes), **common
        )
    container: Any = group[0]
    container.ObservationDateTime = posted.observed or observed
    container.ContentSequence.extend(
        _evaluation(one) for one in values if not isinstance(one.value, Quantity)
    )
    if members:
        _tell_more(container, posted, _CONTAINS)
    return group


def _finding(posted: Posted) -> dict[str, hd.CodedConcept | None]:
    is_plain = posted.code.key == MEASUREMENT_GROUP
    return {
        "finding_category": None if is_plain else _coded(posted.code),
        "finding_type": _coded(posted.value) if isinstance(posted.value, Code) else None,
    }


def _number(one: Posted, quantity: Quantity, classes: Mapping[str, str]) -> hd.Measurement:
    """A NUM item, with the digits that were posted, and the image or region of its own."""
    measurement = hd.Measurement(
        _coded(one.code),
        float(quantity.written),
        _coded(quantity.unit),
        method=_any(one.method),
        algorithm_id=_algorithm(one.algorithm),
        finding_sites=_sites(one.site),
        referenced_images=_images_of_its_own(one.selection, classes),
        referenced_coordinates=_coordinates(one.selection, classes),
    )
    item = measurement[0]
    del item.MeasuredValueSequence[0].FloatingPointValue
    item.MeasuredValueSequence[0].NumericValue = quantity.written
    _tell_more(item, one, _HAS_PROPERTIES)
    return measurement


def _evaluation(one: Posted) -> Dataset:
    """A CODE or TEXT item."""
    item: Dataset
    if isinstance(one.value, Code):
        item = hd.CodeContentItem(_coded(one.code), _coded(one.value), _CONTAINS)
    else:
        item = hd.TextContentItem(_coded(one.code), str(one.value), _CONTAINS)
    _tell_more(item, one, _HAS_PROPERTIES)
    return item


def _tell_more(item: Dataset, one: Posted, relationship: hd.RelationshipTypeValues) -> None:
    """Identifiers, notes and the time of the item itself."""
    own = next((told for told in one.identifiers if told[0] == DICOM_UID), None)
    if own is not None:
        item.ObservationUID = own[1]
    if one.observed:
        item.ObservationDateTime = one.observed
    texts = [(_COMMENT, note) for note in one.notes]
    texts += [(_IDENTIFIER, "|".join(told)) for told in one.identifiers if told != own]
    children: list[Dataset] = [hd.TextContentItem(name, text, relationship) for name, text in texts]
    if relationship is _HAS_PROPERTIES:
        children += _tracking(one)
    if children:
        item.ContentSequence = [*item.get("ContentSequence", []), *children]


def _tracking(one: Posted) -> list[Dataset]:
    """PS3.16 TID 4108, of an item of its own: the group has them in any case."""
    items: list[Dataset] = []
    if one.tracking:
        items.append(hd.TextContentItem(_TRACKING_IDENTIFIER, one.tracking, _HAS_OBS_CONTEXT))
    if one.tracking_uid:
        items.append(hd.UIDRefContentItem(_TRACKING_UID, one.tracking_uid, _HAS_OBS_CONTEXT))
    return items


def _coordinates(
    selection: Selection, classes: Mapping[str, str]
) -> list[hd.CoordinatesForMeasurement] | None:
    if selection.region is None:
        return None
    image = _source(hd.SourceImageForRegion, selection, classes)
    points = np.array(selection.region.points)
    return [hd.CoordinatesForMeasurement(selection.region.graphic_type, points, image)]


def _images_of_its_own(
    selection: Selection, classes: Mapping[str, str]
) -> list[hd.SourceImageForMeasurement] | None:
    """The image of a number that marks nothing in it."""
    if selection.region is not None or not selection.instance:
        return None
    return [_source(hd.SourceImageForMeasurement, selection, classes)]


def _region(region: Region, selection: Selection, classes: Mapping[str, str]) -> hd.ImageRegion:
    image = _source(hd.SourceImageForRegion, selection, classes)
    return hd.ImageRegion(region.graphic_type, np.array(region.points), image)


def _images(
    selection: Selection, classes: Mapping[str, str]
) -> list[hd.SourceImageForMeasurementGroup] | None:
    return [_source(hd.SourceImageForMeasurementGroup, selection, classes)] if selection.instance else None


def _source(
    kind: Callable[[str, str, list[int] | None], Source], selection: Selection, classes: Mapping[str, str]
) -> Source:
    frames = [selection.frame] if selection.frame else None
    return kind(classes[selection.instance], selection.instance, frames)


def _algorithm(algorithm: Algorithm | None) -> hd.AlgorithmIdentification | None:
    return hd.AlgorithmIdentification(algorithm.name, algorithm.version) if algorithm else None


def _sites(site: Site | None) -> list[hd.FindingSite] | None:
    return [hd.FindingSite(_coded(site.code), _any(site.side), _any(site.modifier))] if site else None


def _any(code: Code | None) -> hd.CodedConcept | None:
    return None if code is None else _coded(code)


def _coded(code: Code) -> hd.CodedConcept:
    return hd.CodedConcept(code.value, code.scheme, code.meaning)
