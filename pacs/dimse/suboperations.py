"""Answering C-MOVE and C-GET while what they ask for is sent (PS3.4 C.4.2.3, C.4.3.3)."""

from collections.abc import Generator, Sequence

from pacs.attributes import BY_PATH
from pacs.dimse.association import Request
from pacs.dimse.command import Command
from pacs.dimse.data_set import DataSetWriter
from pacs.dimse.heard import STORE, Then
from pacs.dimse.identifier import parse_query
from pacs.dimse.requestor import PeerFailed
from pacs.dimse.sender import Sent
from pacs.dimse.status import (
    CANCEL,
    PENDING,
    SUBOPERATIONS_WITH_FAILURES,
    SUCCESS,
    UNABLE_TO_PERFORM_SUBOPERATIONS,
)
from pacs.errors import InvalidQuery
from pacs.model import DicomJson, Instance, Level
from pacs.query import OneOf
from pacs.selection import select

# PS3.4 Table C.6-1 and below: what names an entity of each level
_UNIQUE_KEYS = {
    Level.PATIENT: "PatientID",
    Level.STUDY: "StudyInstanceUID",
    Level.SERIES: "SeriesInstanceUID",
    Level.INSTANCE: "SOPInstanceUID",
}

_PRIORITIES = range(3)  # medium, high and low (PS3.7 Table E.1-1)


def requested(request: Request, identifier: DicomJson, levels: tuple[Level, ...]) -> list[Instance]:
    """The instances that an identifier names. Keys above the level may be left out: relational retrieval.

    levels: of the query model.  Raises InvalidQuery, TooManyMatches.
    """
    query = parse_query(identifier, levels)
    key = next(a for a in BY_PATH.values() if a.path == (_UNIQUE_KEYS[query.level],))
    if not any(one.attribute is key and isinstance(one.condition, OneOf) for one in query.criteria):
        raise InvalidQuery(f"{key.keyword} is missing, which names what is to be sent", key.tags[-1])
    return select(request.association.archive, query)


def priority_of(request: Request) -> int:
    """What the sub-operations have of what asks for them (PS3.4 C.4.2.1.2, C.4.3.1.2); medium without one."""
    priority: int = request.command.get("Priority", 0)
    return priority if priority in _PRIORITIES else 0


class Suboperations:
    """How far the sending of what a request asks for has come, and the responses that tell it."""

    def __init__(self, request: Request, instances: Sequence[Instance]) -> None:
        self._request = request
        self._waiting = {instance.sop_instance_uid: None for instance in instances}
        self._completed = self._warned = 0
        self._failed: list[str] = []

    def run(self, sending: Generator[Sent, None, None]) -> None:
        """Send, with a pending response after each that is not the last, then the last response."""
        try:
            for sent in sending:
                self._note(sent)
                if self._request.association.is_cancelled(self._request.command.get("MessageID", 0)):
                    self._respond(CANCEL)
                    return
                if self._waiting:
                    self._request.respond({"Status": PENDING, **self._numbers(self._waiting)})
        except PeerFailed as error:
            self._end(str(error))
        else:
            self._end("")
        finally:
            sending.close()

    def _note(self, sent: Sent) -> None:
        del self._waiting[sent.sop_instance_uid]
        then = STORE.then(sent.status)
        if then is Then.DONE:
            self._completed += 1
        elif then is Then.DONE_WITH_WARNING:
            self._warned += 1
        else:
            self._failed.append(sent.sop_instance_uid)

    def _end(self, reason: str) -> None:
        """The last response; what was not sent has failed."""
        self._failed += self._waiting
        self._waiting = {}
        if not self._failed and not self._warned:
            self._respond(SUCCESS)
        elif self._completed or self._warned:
            self._respond(SUBOPERATIONS_WITH_FAILURES, reason)
        else:
            self._respond(UNABLE_TO_PERFORM_SUBOPERATIONS, reason)

    def _respond(self, status: int, reason: str = "") -> None:
        fields: Command = {"Status": status, **self._numbers(self._waiting if status == CANCEL else None)}
        if reason:
            fields["ErrorComment"] = reason[:64]
        self._request.respond(fields, self._failures())

    def _numbers(self, waiting: dict[str, None] | None) -> Command:
        """How many there are of each kind; of those that remain only where some can."""
        numbers: Command = {
            "NumberOfCompletedSuboperations": self._completed,
            "NumberOfFailedSuboperations": len(self._failed),
            "NumberOfWarningSuboperations": self._warned,
        }
        return numbers if waiting is None else numbers | {"NumberOfRemainingSuboperations": len(waiting)}

    def _failures(self) -> bytes | None:
        """The identifier of the last response, where there are failures (PS3.4 C.4.2.1.4.2)."""
        if not self._failed:
            return None
        failed = {"00080058": {"vr": "UI", "Value": self._failed}}  # Failed SOP Instance UID List
        return DataSetWriter(self._request.context).write(failed)
