"""Peers of storage commitment, by pynetdicom: those that ask for it, and those that are asked."""

import queue
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pydicom import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, build_role, evt
from pynetdicom.association import Association

from pacs.model import Peer
from tests.pacs.dimse.scp import VERIFICATION, serving

PUSH_MODEL, INSTANCE = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"
SYNTAXES = [str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian)]
PATIENCE = 60.0  # seconds for what must happen by itself; it may be tried only after 30

# Transaction UID, event type, what is committed, what is not and why
Told = tuple[str, int, list[str], dict[str, int]]


def named(uid: str, *images: Dataset, failed: dict[str, int] | None = None) -> Dataset:
    """The information of a request or a report."""
    data_set = Dataset()
    data_set.TransactionUID = uid
    failed = failed or {}
    data_set.ReferencedSOPSequence = [_reference(one) for one in images if one.SOPInstanceUID not in failed]
    if failed:
        data_set.FailedSOPSequence = [_reference(one) for one in images if one.SOPInstanceUID in failed]
        for item in data_set.FailedSOPSequence:
            item.FailureReason = failed[item.ReferencedSOPInstanceUID]
    return data_set


def _reference(image: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    return item


def uids(images: Sequence[Dataset]) -> list[str]:
    return sorted(str(image.SOPInstanceUID) for image in images)


@dataclass
class Reports:
    """What was told, and over which associations."""

    came: "queue.Queue[Told]" = field(default_factory=queue.Queue)
    associations: list[Association] = field(default_factory=list)
    status: Callable[[int], int] = lambda _: 0x0000
    unanswered: list[Told] = field(default_factory=list)

    @property
    def handlers(self) -> list[Any]:
        return [(evt.EVT_N_EVENT_REPORT, self.take), (evt.EVT_PDU_SENT, self.answered)]

    def take(self, event: Any) -> tuple[int, None]:
        """Handle N-EVENT-REPORT."""
        told = event.event_information
        committed = [str(one.ReferencedSOPInstanceUID) for one in told.get("ReferencedSOPSequence", [])]
        failed = {
            str(one.ReferencedSOPInstanceUID): int(one.FailureReason)
            for one in told.get("FailedSOPSequence", [])
        }
        self.associations.append(event.assoc)
        self.unanswered.append((str(told.TransactionUID), event.event_type, sorted(committed), failed))
        return self.status(len(self.associations)), None

    def answered(self, _event: Any) -> None:
        """Show what came once its response is on the way.

        pynetdicom handles N-EVENT-REPORT in a thread of its own, which a release does not wait for.
        """
        while self.unanswered:
            self.came.put(self.unanswered.pop(0))

    def next(self) -> Told:
        return self.came.get(timeout=PATIENCE)


@contextmanager
def asking(
    port: int, reports: Reports | None = None, syntaxes: Sequence[str] = SYNTAXES
) -> Iterator[Association]:
    """An association of MODALITY with ARCHIVE, over which it can ask and be told."""
    user = AE("MODALITY")
    user.add_requested_context(PUSH_MODEL, list(syntaxes))
    user.add_requested_context("1.2.840.10008.1.1")
    handlers = reports.handlers if reports else []
    association = user.associate("127.0.0.1", port, ae_title="ARCHIVE", evt_handlers=handlers)
    assert association.is_established
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def ask(
    association: Association,
    data_set: Dataset,
    action: int = 1,
    sop_class: str = PUSH_MODEL,
    instance: str = INSTANCE,
) -> int:
    """The status of the response to N-ACTION."""
    status, _ = association.send_n_action(data_set, action, sop_class, instance, meta_uid=PUSH_MODEL)
    return int(status.Status)


@contextmanager
def listening(reports: Reports, port: int = 0, takes: bool = True) -> Iterator[Peer]:
    """MODALITY, to whom results are told over associations of the archive.

    takes: whether it knows what is told.
    """
    contexts = [(VERIFICATION, SYNTAXES), *([(PUSH_MODEL, SYNTAXES)] if takes else [])]
    with serving("MODALITY", contexts, reports.handlers, port, provided=[PUSH_MODEL]) as peer:
        yield peer


@dataclass
class Committer:
    """A system that stores and commits.

    where: "here" reports over the association of the request, "early" even before its response, a port over
        an association of its own, None never.
    failing: why it does not commit, by SOP Instance UID and how often it was asked, from 1 on; None leaves
        the instance out of the report.
    pause: seconds after which it reports.
    """

    where: str | int | None
    failing: Callable[[str, int], int | None] = lambda _uid, _round: 0
    status: int = 0x0000  # of N-ACTION
    pause: float = 0.0
    peer: Peer = field(default_factory=lambda: Peer("OTHER", "", 0))
    stored: list[str] = field(default_factory=list)
    asked: list[Dataset] = field(default_factory=list)
    answered: "queue.Queue[int]" = field(default_factory=queue.Queue)  # the responses to its reports

    def store(self, event: Any) -> int:
        self.stored.append(str(event.request.AffectedSOPInstanceUID))
        return 0x0000

    def act(self, event: Any) -> tuple[int, None]:
        request = event.action_information
        self.asked.append(request)
        if self.status == 0 and self.where is not None:
            threading.Thread(target=self.report, args=(event.assoc, request)).start()
        if self.where == "early":
            time.sleep(0.3)
        return self.status, None

    def report(self, association: Association, request: Dataset) -> None:
        time.sleep(self.pause)
        told = Dataset()
        told.TransactionUID = request.TransactionUID
        told.ReferencedSOPSequence, told.FailedSOPSequence = [], []
        for item in request.ReferencedSOPSequence:
            reason = self.failing(item.ReferencedSOPInstanceUID, len(self.asked))
            if reason:
                item.FailureReason = reason
            if reason is not None:
                (told.FailedSOPSequence if reason else told.ReferencedSOPSequence).append(item)
        kind = 2 if told.FailedSOPSequence else 1
        if isinstance(self.where, int):
            with reporting(self.where) as own:
                self.answered.put(event_report(own, told, kind))
        else:
            self.answered.put(event_report(association, told, kind))


def event_report(association: Association, told: Dataset, kind: int, instance: str = INSTANCE) -> int:
    status, _ = association.send_n_event_report(told, kind, PUSH_MODEL, instance)
    return int(status.Status)


@contextmanager
def reporting(port: int, title: str = "OTHER") -> Iterator[Association]:
    """An association of a committer with who asked it: the requestor is the SCP."""
    scp = AE(title)
    scp.add_requested_context(PUSH_MODEL, SYNTAXES)
    role: Any = build_role(PUSH_MODEL, scp_role=True)
    association = scp.associate("127.0.0.1", port, ae_title="DIAFANA", ext_neg=[role])
    assert association.is_established
    assert association.accepted_contexts[0].as_scp
    try:
        yield association
    finally:
        association.release()


@contextmanager
def committing(
    committer: Committer, port: int = 0, takes: bool = True, tls: ssl.SSLContext | None = None
) -> Iterator[Committer]:
    """takes: whether it knows storage commitment.  tls: how it accepts, where it wants TLS."""
    classes = [CTImageStorage, *([PUSH_MODEL] if takes else [])]
    handlers = [(evt.EVT_C_STORE, committer.store), (evt.EVT_N_ACTION, committer.act)]
    with serving("OTHER", [(uid, SYNTAXES) for uid in classes], handlers, port, tls=tls) as peer:
        committer.peer = peer._replace(commits=True)
        yield committer
