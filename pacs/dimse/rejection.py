"""Why associations are rejected: A-ASSOCIATE-RJ (PS3.8 Table 9-21)."""

from struct import pack
from typing import NamedTuple

from pacs.dimse import wire


class Rejection(NamedTuple):
    """Result (1 permanent, 2 transient), source and reason, and when it is said."""

    result: int
    source: int
    reason: int
    when: str

    @property
    def pdu(self) -> bytes:
        """The PDU that says it."""
        return pack(">BBIBBBB", wire.ASSOCIATE_RJ, 0, 4, 0, self.result, self.source, self.reason)


APPLICATION_CONTEXT = Rejection(1, 1, 2, "the Application Context Name is not that of DICOM")
CALLING_NOT_RECOGNIZED = Rejection(
    1, 1, 3, "the calling AE title is not known here, and who is not known may nothing (`unknown_peers`)"
)
CALLED_NOT_RECOGNIZED = Rejection(
    1, 1, 7, "under the called AE title nothing may be asked (`called`, `called_otherwise`)"
)
CONGESTED = Rejection(2, 3, 1, "the index, which tells who may do what, cannot be read")
LIMIT_EXCEEDED = Rejection(
    2, 3, 2, "too many associations are open; by TLS the connection is closed instead, before the handshake"
)

REJECTIONS = (APPLICATION_CONTEXT, CALLING_NOT_RECOGNIZED, CALLED_NOT_RECOGNIZED, CONGESTED, LIMIT_EXCEEDED)
