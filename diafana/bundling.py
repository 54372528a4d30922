"""What one DICOM file becomes in FHIR, without an archive around it."""

from pathlib import Path
from typing import Any

from pydicom import dcmread

from pacs.index.rows import patient_identity
from sr.imaging_study import imaging_study, study_instance
from sr.mapping import is_report, map_report
from sr.patient import patient
from sr.transaction import transaction


def object_bundle(file: Path) -> tuple[dict[str, Any], int]:
    """A transaction of its patient, of its study as far as it tells of it, and of what a report becomes.

    Of an imaging manifest, the document that it becomes: it tells of a study that is elsewhere.
    And how many content items became nothing. Raises OSError or InvalidDicomError.
    """
    dataset = dcmread(file, stop_before_pixels=True)
    attributes = dataset.to_json_dict(suppress_invalid_tags=True)
    study, series = dataset.get("StudyInstanceUID", ""), dataset.get("SeriesInstanceUID", "")
    identity = patient_identity(attributes, study)
    resources = [
        patient(attributes, identity),
        imaging_study(attributes, [attributes], {series: [study_instance(attributes)]}, identity, None),
    ]
    if not is_report(dataset.get("SOPClassUID", "")):
        return transaction(resources), 0
    mapped = map_report(dataset, identity)
    for document in mapped.resources:
        if document["resourceType"] == "Bundle":
            return document, len(mapped.unmapped)
    return transaction([*resources, *mapped.resources]), len(mapped.unmapped)
