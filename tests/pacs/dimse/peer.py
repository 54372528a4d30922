"""Peers that speak DICOM to the front: pynetdicom's, and one that writes the bytes itself."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from struct import pack, unpack
from typing import Self

from pydicom import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.pdu import A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    MaximumLengthNotification,
)
from pynetdicom.presentation import build_context

from pacs.dimse.command import C_STORE_RQ, DATA_SET, decode_command, encode_command
from pacs.dimse.wire import data_pdus

VERIFICATION = "1.2.840.10008.1.1"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
PATIENT_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.1.1"


@contextmanager
def associated(port: int, *contexts: tuple[str, str | list[str]]) -> Iterator[Association]:
    """An association by pynetdicom. contexts: abstract syntax and transfer syntaxes."""
    sender = AE("SENDER")
    sender.dimse_timeout = 110  # for what is long on a slow disk
    for abstract_syntax, transfer_syntaxes in contexts:
        sender.add_requested_context(abstract_syntax, transfer_syntaxes)
    association = sender.associate("127.0.0.1", port, ae_title="DIAFANA")
    assert association.is_established
    yield association
    if association.is_established:
        association.release()


def store(port: int, dataset: Dataset) -> Dataset:
    """C-STORE of one object as it is encoded; returns the response's status elements."""
    syntax = dataset.file_meta.TransferSyntaxUID
    with associated(port, (dataset.SOPClassUID, syntax)) as association:
        return association.send_c_store(dataset)


def find(port: int, identifier: Dataset, model: str = STUDY_ROOT_FIND) -> tuple[list[Dataset], Dataset]:
    """C-FIND: the answers, and the status elements of the last response."""
    answers: list[Dataset] = []
    with associated(port, (model, [ExplicitVRLittleEndian, ImplicitVRLittleEndian])) as association:
        for status, answer in association.send_c_find(identifier, model):
            if answer is None:
                return answers, status
            answers.append(answer)
    raise AssertionError("no last response")


class RawPeer:
    """A peer that sends whatever bytes it likes."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def associate(
        self, abstract_syntax: str = SECONDARY_CAPTURE, transfer_syntax: str = ExplicitVRLittleEndian
    ) -> None:
        self.socket.sendall(association_request(abstract_syntax, transfer_syntax))
        kind, _ = self.read()
        assert kind == 2

    def begin_store(self, instance: str, sop_class: str = SECONDARY_CAPTURE) -> None:
        """Send the command of a C-STORE; its data set is to follow."""
        command = {
            "AffectedSOPClassUID": sop_class,
            "CommandField": C_STORE_RQ,
            "MessageID": 1,
            "Priority": 0,
            "CommandDataSetType": DATA_SET,
            "AffectedSOPInstanceUID": instance,
        }
        for pdu in data_pdus(1, True, encode_command(command), 16384):
            self.socket.sendall(pdu)

    def store(self, sop_class: str, instance: str, data_set: bytes) -> int | None:
        """C-STORE; the status of the response, or None when the association broke off."""
        try:
            self.begin_store(instance, sop_class)
            self.socket.sendall(b"".join(data_pdus(1, False, data_set, 65536)))
        except OSError:
            return None
        kind, content = self.read()
        return int(decode_command(content[6:])["Status"]) if kind == 4 else None

    def release(self) -> None:
        """Release the association, if the peer is still there."""
        with suppress(OSError):
            self.socket.sendall(pdu(5, b"\0\0\0\0"))
            self.read()

    def read(self) -> tuple[int, bytes]:
        """The next PDU's type and content; type 0 when the connection is closed."""
        header = self._read(6)
        if not header:
            return 0, b""
        kind, _, length = unpack(">BBI", header)
        return kind, self._read(length)

    def _read(self, length: int) -> bytes:
        content = b""
        while len(content) < length:
            try:
                piece = self.socket.recv(length - len(content))
            except ConnectionResetError:
                return b""
            if not piece:
                return b""
            content += piece
        return content


def association_request(abstract_syntax: str, transfer_syntax: str) -> bytes:
    """The bytes of an A-ASSOCIATE-RQ with one presentation context, by pynetdicom."""
    primitive = A_ASSOCIATE()
    primitive.application_context_name = UID("1.2.840.10008.3.1.1.1")
    primitive.calling_ae_title, primitive.called_ae_title = "RAW", "DIAFANA"
    context = build_context(abstract_syntax, transfer_syntax)
    context.context_id = 1
    primitive.presentation_context_definition_list = [context]
    length, implementation = MaximumLengthNotification(), ImplementationClassUIDNotification()
    length.maximum_length_received = 16384
    implementation.implementation_class_uid = UID("1.2.3")
    primitive.user_information = [length, implementation]
    pdu = A_ASSOCIATE_RQ()
    pdu.from_primitive(primitive)
    encoded: bytes = pdu.encode()
    return encoded


def pdu(kind: int, content: bytes, length: int | None = None) -> bytes:
    """A PDU, if need be with a length that is not its own."""
    return pack(">BBI", kind, 0, len(content) if length is None else length) + content
