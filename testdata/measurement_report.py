"""What was measured in the chest CT, as TID 1500: Comprehensive 3D SR Storage (PS3.16 TID 1500)."""

import highdicom as hd
import numpy as np
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import UID

from testdata.composite import belong
from testdata.nodule import Nodule, find_nodule, hounsfield_units, pixel_of
from testdata.participation import let_take_part
from testdata.studies import uid
from testdata.thorax import DESCENDING_AORTA, DESCENDING_AORTA_RADIUS

_MEAN = codes.SCT.Mean
_READER = "Zanella^Ilària"


def measurement_report(series: list[Dataset], *, series_number: int = 60) -> Dataset:
    """A complete and verified report on a series from `ct_series`, in the study of that series.

    All who may had a part in it, and it fulfils two orders (`let_take_part`).

    Three groups: the nodule of the right lung (outlines, long axis, volume, mean attenuation, margin), the
    descending aorta (circle, diameter, mean attenuation), and the left lung, where emphysema is said absent.
    """
    source = series[0]
    nodule = find_nodule(series)
    series_uid = uid("series", source.SeriesInstanceUID, "SR", series_number)
    content = hd.sr.MeasurementReport(
        observation_context=_observers(),
        procedure_reported=Code("24627-2", "LN", "CT Chest"),
        imaging_measurements=[
            _nodule_group(series, nodule),
            _aorta_group(series[nodule.slices[0]]),
            _emphysema_group(source),
        ],
        title=codes.DCM.ImagingMeasurementReport,
        language_of_content_item_and_descendants=hd.sr.LanguageOfContentItemAndDescendants(
            language=hd.sr.CodedConcept("it", "RFC5646", "Italian")
        ),
    )
    report = hd.sr.Comprehensive3DSR(
        evidence=series,
        content=content[0],
        series_instance_uid=series_uid,
        series_number=series_number,
        sop_instance_uid=uid("instance", series_uid, 1),
        instance_number=1,
        manufacturer="Officina di Prova",
        is_complete=True,
        is_final=True,
        is_verified=True,
        institution_name="Ospedale di Prova",
        verifying_observer_name=_READER,
        verifying_organization="Ospedale di Prova",
    )
    belong(report, source)
    report.SeriesDescription = "Misure TC torace"
    report.VerifyingObserverSequence[0].VerificationDateTime = source.StudyDate + source.StudyTime
    let_take_part(report, source)
    return report


def _observers() -> hd.sr.ObservationContext:
    person = hd.sr.PersonObserverIdentifyingAttributes(
        _READER,
        login_name="izanella",
        organization_name="Ospedale di Prova",
        role_in_organization=Code("66862007", "SCT", "Radiologist"),
        role_in_procedure=codes.DCM.Performing,
    )
    device = hd.sr.DeviceObserverIdentifyingAttributes(
        uid=uid("device", "measuring station"),
        name="STAZIONE1",
        manufacturer_name="Officina di Prova",
        model_name="Fantoccio SR",
        serial_number="SR-0001",
    )
    return hd.sr.ObservationContext(
        observer_person_context=hd.sr.ObserverContext(codes.DCM.Person, person),
        observer_device_context=hd.sr.ObserverContext(codes.DCM.Device, device),
    )


def _nodule_group(
    series: list[Dataset], nodule: Nodule
) -> hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations:
    site = hd.sr.FindingSite(codes.SCT.UpperLobeOfLung, laterality=codes.SCT.Right)
    return hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(series[0], "nodule", "Nodulo 1"),
        referenced_regions=[_outline(series[index], nodule.mask[index]) for index in nodule.slices],
        finding_type=codes.SCT.Nodule,
        finding_sites=[site],
        measurements=[
            hd.sr.Measurement(codes.SCT.LongAxis, _rounded(nodule.long_axis), codes.UCUM.Millimeter),
            hd.sr.Measurement(codes.SCT.Volume, _rounded(nodule.volume), codes.UCUM.CubicMillimeter),
            _attenuation(nodule.mean),
        ],
        qualitative_evaluations=[
            hd.sr.QualitativeEvaluation(codes.DCM.Margins, codes.SCT.LesionWithSpiculatedMargin)
        ],
    )


def _aorta_group(source: Dataset) -> hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations:
    column, row = pixel_of(source, *DESCENDING_AORTA)
    radius = DESCENDING_AORTA_RADIUS / float(source.PixelSpacing[0])
    across = np.arange(source.Columns) + 0.5 - column
    down = (np.arange(source.Rows) + 0.5 - row)[:, None]
    inside = across**2 + down**2 <= max(radius * 0.8, 0.8) ** 2
    region = hd.sr.ImageRegion(
        hd.sr.GraphicTypeValues.CIRCLE,
        np.array([[column, row], [column + radius, row]]),
        hd.sr.SourceImageForRegion.from_source_image(source),
    )
    return hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(source, "aorta", "Aorta discendente"),
        referenced_region=region,
        finding_sites=[hd.sr.FindingSite(codes.SCT.StructureOfDescendingThoracicAorta)],
        measurements=[
            hd.sr.Measurement(codes.SCT.Diameter, 2 * DESCENDING_AORTA_RADIUS, codes.UCUM.Millimeter),
            _attenuation(float(hounsfield_units(source)[inside].mean())),
        ],
    )


def _emphysema_group(source: Dataset) -> hd.sr.MeasurementsAndQualitativeEvaluations:
    return hd.sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(source, "left lung", "Polmone sinistro"),
        finding_sites=[hd.sr.FindingSite(codes.SCT.Lung, laterality=codes.SCT.Left)],
        qualitative_evaluations=[
            hd.sr.QualitativeEvaluation(Code("87433001", "SCT", "Pulmonary emphysema"), codes.SCT.Absent)
        ],
        source_images=[hd.sr.SourceImageForMeasurementGroup.from_source_image(source)],
    )


def _tracking(source: Dataset, name: str, label: str) -> hd.sr.TrackingIdentifier:
    tracking_uid: UID = uid(name, source.StudyInstanceUID)
    return hd.sr.TrackingIdentifier(uid=tracking_uid, identifier=label)


def _attenuation(mean: float) -> hd.sr.Measurement:
    return hd.sr.Measurement(
        codes.DCM.AttenuationCoefficient, _rounded(mean), codes.UCUM.HounsfieldUnit, derivation=_MEAN
    )


def _outline(source: Dataset, mask: np.ndarray) -> hd.sr.ImageRegion:
    """A closed polygon around the middle of the mask, of the same area."""
    rows, columns = np.nonzero(mask)
    radius = max((mask.sum() / np.pi) ** 0.5, 0.5)
    turn = np.linspace(0, 2 * np.pi, 25)
    points = np.stack(
        [columns.mean() + 0.5 + radius * np.cos(turn), rows.mean() + 0.5 + radius * np.sin(turn)], axis=1
    )
    points[-1] = points[0]
    return hd.sr.ImageRegion(
        hd.sr.GraphicTypeValues.POLYLINE, points, hd.sr.SourceImageForRegion.from_source_image(source)
    )


def _rounded(value: float) -> float:
    return round(value, 1)
