"""What is sent of a study: its patient, itself, and all that its reports became."""

from dataclasses import dataclass
from typing import Any

from fhir_api.answers import Addresses
from fhir_api.imaging_studies import ImagingStudies
from fhir_api.patients import Patients
from fhir_api.store import ResourceStore
from pacs.archive import Archive
from pacs.errors import NotFound
from sr.fhir_json import loads
from sr.mapping import is_report


@dataclass(frozen=True, slots=True)
class Content:
    """resources: of a study; none when it is there no longer.

    missing: how many of its reports have not become resources yet.
    """

    resources: list[dict[str, Any]]
    missing: int = 0


def study_content(archive: Archive, store: ResourceStore, study: str) -> Content:
    """What is to be sent of a study now."""
    try:
        instances = archive.instances(study, None, None)
    except NotFound:
        return Content([])
    reports = {one.sop_instance_uid for one in instances if is_report(one.sop_class_uid)}
    mapped = store.reports(study)  # before what they became is read, so that none is missed
    nowhere = Addresses("", "")  # what leads here from elsewhere is not known
    try:
        itself = loads(ImagingStudies(archive).read(study, nowhere).content)
        identity = itself["subject"]["reference"].removeprefix("Patient/")
        who = loads(Patients(archive).read(identity, nowhere).content)
    except NotFound:  # deleted meanwhile, and sent again for that
        return Content([])
    of_reports = [loads(content) for content in store.of_study(study)]
    return Content([who, itself, *of_reports], len(reports - mapped))
