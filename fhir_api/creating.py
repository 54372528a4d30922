"""Creating Observations (FHIR R4 3.1.0.8): written as a structured report, stored, mapped back."""

import datetime
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from pydicom import Dataset, dcmwrite

from fhir_api.answers import Answer
from fhir_api.outcome import RequestFault
from fhir_api.reports import keep_report, map_stored, patient_identity
from fhir_api.store import ResourceStore
from fhir_api.subscriptions.service import Subscriptions
from pacs.archive import Archive
from pacs.errors import InstanceConflict, NotFound
from pacs.model import Instance, Source
from sr.mapping import Mapped, map_report
from sr.writing.element import Unusable
from sr.writing.members import require_agreement
from sr.writing.posted_observation import Posted, Quantity, read_posted
from sr.writing.selection import Selection
from sr.writing.uids import report_uid

# Members that tell when something was written, not what
_OF_THE_MOMENT = ("issued", "effectiveDateTime", "_effectiveDateTime")


@dataclass(frozen=True, slots=True)
class Created:
    """What became of what was posted.

    is_new: False when it was there already.
    answers: the Observations, in the order in which they were posted.
    """

    is_new: bool
    answers: Sequence[Answer]


class Creator:
    """Writes Observations into the archive. Safe for threads."""

    def __init__(
        self, archive: Archive, store: ResourceStore, subscriptions: Subscriptions | None = None
    ) -> None:
        """subscriptions: who is told of what is created; None where nobody can be."""
        self._archive = archive
        self._subscriptions = subscriptions
        self._store = store
        self._version = version("diafana")

    def create(self, resource: dict[str, Any], source: Source) -> Created:
        """Store one Observation: when this returns, it survives a power cut, and can be searched.

        source: who posted it.  Raises RequestFault, ArchiveError.
        """
        return self.create_group(resource, (), "Observation", (), source)

    def create_group(
        self,
        resource: dict[str, Any],
        members: Sequence[dict[str, Any]],
        path: str,
        paths: Sequence[str],
        source: Source,
    ) -> Created:
        """The same of a group with its members, as one report. path, paths: FHIRPaths of them, for faults.

        The group is the first of the answers.
        """
        try:
            posted = read_posted(resource, path)
            others = [
                read_posted(one, place, is_member=True) for one, place in zip(members, paths, strict=True)
            ]
            if posted.members and not members:
                raise Unusable(
                    f"{path}.hasMember", "post a group with its members, as a transaction", "invalid"
                )
            if others:
                require_agreement(posted, others, path, paths)
            return self._create(posted, others, path, source)
        except Unusable as error:
            status = 400 if error.code == "structure" else 422
            raise RequestFault(status, error.code, str(error), expression=error.expression) from error

    def _create(self, posted: Posted, members: Sequence[Posted], path: str, source: Source) -> Created:
        study, identity = posted.selection.study, _identity(posted, members)
        anything = self._first_of_study(posted.selection)
        self._require_patient(posted, study, path)
        selections = [one.selection for one in (posted, *members) if one.selection.instance]
        images = {one.instance: self._image(study, one) for one in selections}
        report = _write(posted, members, self._archive.header(anything), images, identity, self._version)
        uid = report_uid(study, identity)
        found = self._find(study, uid)
        is_new = found is None and self._put(report, source)
        stored = found or self._archive.instances(study, None, uid)[0]
        self._keep(stored)
        mapped = map_stored(self._archive, stored)
        if not is_new:
            self._require_same(mapped, report, path, bool(posted.observed))
        return Created(is_new, self._answers(mapped, members))

    def _first_of_study(self, selection: Selection) -> Instance:
        try:
            return self._archive.first_instance(selection.study)
        except NotFound as error:
            raise Unusable(selection.path, "there is no such study here", "not-found") from error

    def _require_patient(self, posted: Posted, study: str, path: str) -> None:
        whose = f"Patient/{patient_identity(self._archive, study)}"
        if posted.subject and posted.subject != whose and not posted.subject.endswith(f"/{whose}"):
            raise Unusable(f"{path}.subject", "it is not the patient of the study", "conflict")

    def _image(self, study: str, selection: Selection) -> Dataset:
        """The header of an image, once the selection is seen to be in it."""
        try:
            (instance, *_) = self._archive.instances(study, None, selection.instance)
        except NotFound as error:
            raise Unusable(selection.path, "there is no such image in this study", "not-found") from error
        header = self._archive.header(instance)
        columns, rows = _number(header, "Columns"), _number(header, "Rows")
        if selection.frame > max(1, _number(header, "NumberOfFrames")):
            raise Unusable(selection.path, "the image has no such frame", "not-found")
        if selection.region is not None and not all(
            0 <= column <= columns and 0 <= row <= rows for column, row in selection.region.points
        ):
            raise Unusable(selection.path, "the region is not in the image")
        return header

    def _find(self, study: str, uid: str) -> Instance | None:
        try:
            return self._archive.instances(study, None, uid)[0]
        except NotFound:
            return None

    def _put(self, report: Dataset, source: Source) -> bool:
        """Store it; whether it was not there. Another request may have stored its like by now."""
        incoming = self._archive.sender(source).begin_part10()
        file = io.BytesIO()
        dcmwrite(file, report, enforce_file_format=True)
        try:
            incoming.write(file.getbuffer())
        except BaseException:
            incoming.abort()
            raise
        try:
            self._archive.store(incoming)
        except InstanceConflict:
            return False
        return True

    def _keep(self, report: Instance) -> None:
        """Map it at once, and tell of it what its follower will find told already.

        Raises NotFound when it was deleted at the same time: its follower may have been done before.
        """
        sequence = self._subscriptions.newest() if self._subscriptions is not None else None
        place = report.study_instance_uid, report.series_instance_uid, report.sop_instance_uid
        is_news = keep_report(self._archive, self._store, *place, sequence)
        try:
            self._archive.instance(*place)
        except NotFound:
            self._store.withdraw(report.study_instance_uid, report.sop_instance_uid)
            raise
        if is_news and self._subscriptions is not None and sequence is not None:
            self._subscriptions.ring()

    def _require_same(self, mapped: Mapped, report: Dataset, path: str, has_time: bool) -> None:
        now = map_report(report, patient_identity(self._archive, report.StudyInstanceUID))
        left_out = _OF_THE_MOMENT[:1] if has_time else _OF_THE_MOMENT
        if _said(mapped, left_out) != _said(now, left_out):
            message = "there is another Observation of this identifier; it stays as it is"
            raise RequestFault(409, "duplicate", message, expression=f"{path}.identifier")

    def _answers(self, mapped: Mapped, members: Sequence[Posted]) -> list[Answer]:
        """The Observations by the order in which they were posted; in the group numbers come first."""
        (group,) = (one for one in mapped.resources if "hasMember" in one)
        ids = [member["reference"].partition("/")[2] for member in group["hasMember"]]
        if not members:
            return [self._read(ids[0])]
        order = sorted(range(len(members)), key=lambda n: not isinstance(members[n].value, Quantity))
        by_place = dict(zip(order, ids, strict=True))
        return [self._read(group["id"]), *(self._read(by_place[n]) for n in range(len(members)))]

    def _read(self, resource_id: str) -> Answer:
        answer = self._store.read("Observation", resource_id)
        if answer is None:
            raise NotFound("it was deleted at the same time")
        return answer


def _write(
    posted: Posted,
    members: Sequence[Posted],
    instance: Dataset,
    images: Mapping[str, Dataset],
    identity: str,
    software: str,
) -> Dataset:
    from sr.writing.report import Writing, write_report  # highdicom takes a second to load: not at the start

    writing = Writing(identity, software, datetime.datetime.now(datetime.UTC))
    return write_report(posted, members, instance, images, writing)


def _identity(posted: Posted, members: Sequence[Posted]) -> str:
    """What makes two requests the same: an identifier of the Observation, or else all that was posted."""
    if posted.identifiers:
        return "|".join(posted.identifiers[0])
    return hashlib.sha256(repr((posted, *members)).encode()).hexdigest()


def _said(mapped: Mapped, left_out: Sequence[str]) -> list[dict[str, Any]]:
    observations = (one for one in mapped.resources if one["resourceType"] == "Observation")
    return [{name: told for name, told in one.items() if name not in left_out} for one in observations]


def _number(header: Dataset, keyword: str) -> int:
    """A number of an image; 0 where there is none that can be read."""
    try:
        return int(header[keyword].value)
    except (KeyError, TypeError, ValueError):
        return 0
