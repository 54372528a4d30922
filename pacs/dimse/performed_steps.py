"""Modality Performed Procedure Steps: N-CREATE, N-SET and N-GET (PS3.4 F.7.2 and F.8.2, PS3.7 10.1)."""

import re

from pydicom.uid import generate_uid

from pacs.dimse.association import Request
from pacs.dimse.command import Command
from pacs.dimse.data_set import DataSetWriter, asked_in, read_data_set
from pacs.dimse.status import ATTRIBUTES_NOT_SUPPORTED, SUCCESS
from pacs.dimse.with_data_set import WithDataSet
from pacs.errors import InvalidIdentifier
from pacs.model import DicomJson
from pacs.procedure_steps.performed import PerformedSteps

_CHARACTER_SET = "00080005"  # in every answer, for it tells how to read the others
_UID = re.compile(r"[0-9.]{1,64}")


class _OfStep(WithDataSet):
    """A request about one performed step."""

    most_bytes = 4 << 20  # a reference to an instance has some 120

    def __init__(self, request: Request, steps: PerformedSteps) -> None:
        super().__init__(request)
        self._steps = steps

    def _named(self, keyword: str) -> str:
        """The UID of the step that the command names. Raises InvalidIdentifier."""
        uid = str(self._request.command.get(keyword, ""))
        if not _UID.fullmatch(uid):
            raise InvalidIdentifier(f"{keyword} is missing, or no UID")
        return uid

    def _read(self, data: bytes) -> DicomJson:
        return read_data_set(data, self._request.context)

    def _respond(self, uid: str, status: int, data_set: bytes | None = None) -> None:
        """Say what became of it.  The names are those of the request, whatever it calls them."""
        command = self._request.command
        sop_class = command.get("AffectedSOPClassUID") or command.get("RequestedSOPClassUID", "")
        fields: Command = {"Status": status, "AffectedSOPInstanceUID": uid, "AffectedSOPClassUID": sop_class}
        self._request.respond(fields, data_set)


class CreateStep(_OfStep):
    """N-CREATE: a modality has begun."""

    def read(self, data: bytes) -> None:
        """Note it. A step that is not named is given a UID (PS3.7 10.1.5.1.4)."""
        is_named = self._request.command.get("AffectedSOPInstanceUID")
        uid = self._named("AffectedSOPInstanceUID") if is_named else str(generate_uid())
        self._steps.create(uid, self._read(data))
        self._respond(uid, SUCCESS)


class SetStep(_OfStep):
    """N-SET: it has gone on, or come to its end."""

    def read(self, data: bytes) -> None:
        """Change the step."""
        uid = self._named("RequestedSOPInstanceUID")
        self._steps.update(uid, self._read(data))
        self._respond(uid, SUCCESS)


class GetStep(_OfStep):
    """N-GET: how it stands."""

    def read(self, data: bytes) -> None:  # noqa: ARG002 - it has none
        """Answer with all attributes, or with those that are asked for."""
        uid = self._named("RequestedSOPInstanceUID")
        attributes = self._steps.get(uid)
        asked = {f"{tag:08X}" for tag in self._request.command.get("AttributeIdentifierList", ())}
        status = ATTRIBUTES_NOT_SUPPORTED if asked - attributes.keys() else SUCCESS
        if asked:
            picked = asked | {_CHARACTER_SET}
            attributes = {key: element for key, element in attributes.items() if key in picked}
        writer = DataSetWriter(self._request.context, asked_in(attributes))
        self._respond(uid, status, writer.write(attributes))
