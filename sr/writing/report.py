"""One report of one group of measurements: Comprehensive SR Storage with PS3.16 TID 1500."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from highdicom import sr as hd
from pydicom import Dataset
from pydicom.uid import ComprehensiveSRStorage

from sr.writing.group import measurement_group
from sr.writing.of_study import in_zone_of, of_study
from sr.writing.posted_observation import FINAL, Posted
from sr.writing.uids import report_uid, stable_uid

WRITTEN_CLASS: str = ComprehensiveSRStorage
TEMPLATE_ID = "1500"  # PS3.16

MANUFACTURER = "Diafana"
SERIES_DESCRIPTION = "Measurements"
SERIES_NUMBER = 9100
_UTF_8 = "ISO_IR 192"

_IMAGING_PROCEDURE = hd.CodedConcept("363679005", "SCT", "Imaging procedure")
_TITLE = hd.CodedConcept("126000", "DCM", "Imaging Measurement Report")
_PERSON = hd.CodedConcept("121006", "DCM", "Person")
_DEVICE = hd.CodedConcept("121007", "DCM", "Device")


@dataclass(frozen=True, slots=True)
class Writing:
    """How a report is written.

    identity: two reports of one study that have the same have the same UID.
    version: of this software.  now: with its offset from UTC.
    """

    identity: str
    version: str
    now: datetime.datetime


def write_report(
    posted: Posted,
    members: Sequence[Posted],
    instance: Dataset,
    images: Mapping[str, Dataset],
    writing: Writing,
) -> Dataset:
    """The report, with what a file needs before it.

    posted: one measurement, or a group of these members.
    instance: any object of the study, of whose patient and study the report is to be.
    images: what the selections refer to, by SOP Instance UID.
    """
    shared = of_study(instance)
    study, now = str(shared.StudyInstanceUID), in_zone_of(shared, writing.now)
    uid = report_uid(study, writing.identity)
    classes = {image: str(dataset.SOPClassUID) for image, dataset in images.items()}
    observed = f"{now:%Y%m%d%H%M%S%z}"
    content = hd.MeasurementReport(
        observation_context=_observer(posted.performer, writing.version),
        procedure_reported=_IMAGING_PROCEDURE,
        imaging_measurements=[
            measurement_group(posted, members, classes, stable_uid("tracking", uid), observed)
        ],
        title=_TITLE,
    )
    report = hd.ComprehensiveSR(
        evidence=[_reference(one, study) for one in images.values()] or [_reference(instance, study)],
        content=content[0],
        series_instance_uid=stable_uid("series", study, f"{now:%Y%m%d}", writing.version),
        series_number=SERIES_NUMBER,
        sop_instance_uid=uid,
        instance_number=1 + (now.hour * 60 + now.minute) * 60 + now.second,
        manufacturer=MANUFACTURER,
        is_complete=True,
        is_final=posted.status == FINAL,
        series_description=SERIES_DESCRIPTION,
        manufacturer_model_name=MANUFACTURER,
        software_versions=writing.version,
        content_date=now.date(),
        content_time=now.time().replace(microsecond=0),
        series_date=now.date(),
        specific_character_set=_UTF_8,
        record_evidence=False,
    )
    if not images:
        del report.CurrentRequestedProcedureEvidenceSequence  # it names what gave patient and study
    report.update(shared)
    return report


def _observer(performer: str, version: str) -> hd.ObservationContext:
    """Who observed: the person who is named, or else this software."""
    if performer:
        person = hd.PersonObserverIdentifyingAttributes(f"{performer}^")  # all of it as the first component
        return hd.ObservationContext(observer_person_context=hd.ObserverContext(_PERSON, person))
    device = hd.DeviceObserverIdentifyingAttributes(
        stable_uid("device", version), name=MANUFACTURER, manufacturer_name=MANUFACTURER
    )
    return hd.ObservationContext(observer_device_context=hd.ObserverContext(_DEVICE, device))


def _reference(instance: Dataset, study: str) -> Dataset:
    """What the evidence tells of an object; of patient and study only what has to be there."""
    reference = of_study(Dataset())
    reference.StudyInstanceUID = study
    for keyword in ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID"):
        setattr(reference, keyword, instance[keyword].value)
    return reference
