"""A client of C-FIND that costs next to nothing: it reads answers, and looks at none."""

import socket
from collections.abc import Mapping
from typing import Self

from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom.dsutils import encode

from bench.figures import NotMeasured
from bench.servers import Server
from pacs.dimse import wire
from pacs.dimse.command import C_FIND_RQ, DATA_SET, decode_command, encode_command
from pacs.dimse.negotiation import Context
from pacs.dimse.proposal import association_request, read_acceptance
from pacs.dimse.stream import PlainStream

PATIENCE = 60.0  # seconds
STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
RETURNED = ("StudyInstanceUID", "StudyDate", "PatientName", "PatientID", "ModalitiesInStudy")

_CONTEXT = Context(STUDY_ROOT_FIND, ExplicitVRLittleEndian)
_PENDING = (0xFF00, 0xFF01)  # PS3.4 Table C.4-1


class Finder:
    """One association with a service."""

    def __init__(self, server: Server) -> None:
        connection = socket.create_connection(("127.0.0.1", server.dimse_port), PATIENCE)
        self._wire = wire.Wire(PlainStream(connection))
        self._wire.write(association_request("FINDER", server.ae_title, [_CONTEXT]))
        kind, content = self._wire.read(PATIENCE)
        if kind != wire.ASSOCIATE_AC:
            raise NotMeasured("the association for C-FIND was not accepted")
        accepted, self._maximum = read_acceptance(bytes(content), [_CONTEXT])
        self._context_id = accepted[_CONTEXT]

    def find(self, keys: Mapping[str, str]) -> bytes:
        """The identifiers of all answers, as they were encoded. Raises NotMeasured."""
        identifier = Dataset()
        for keyword, value in {**dict.fromkeys(RETURNED, ""), "QueryRetrieveLevel": "STUDY", **keys}.items():
            setattr(identifier, keyword, value)
        command = {"AffectedSOPClassUID": STUDY_ROOT_FIND, "CommandField": C_FIND_RQ, "MessageID": 1}
        command |= {"Priority": 0, "CommandDataSetType": DATA_SET}
        data_set = encode(identifier, is_implicit_vr=False, is_little_endian=True) or b""
        self._wire.write(
            *wire.data_pdus(self._context_id, True, encode_command(command), self._maximum),
            *wire.data_pdus(self._context_id, False, data_set, self._maximum),
        )
        return self._answers()

    def _answers(self) -> bytes:
        found, command = bytearray(), bytearray()
        while True:
            kind, content = self._wire.read(PATIENCE)
            if kind != wire.P_DATA:
                raise NotMeasured(f"a PDU of type {kind} in the middle of the answers")
            for _, control, data in wire.values(content):
                if not control & 1:
                    found += data
                    continue
                command += data
                if control & 2:
                    status = decode_command(command)["Status"]
                    if status not in _PENDING:
                        return _whole(status, found)
                    command.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._wire.abort(0)


def _whole(status: int, found: bytearray) -> bytes:
    if status:
        raise NotMeasured(f"C-FIND ended with {status:04X}")
    return bytes(found)
