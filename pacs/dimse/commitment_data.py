"""What storage commitment says: action and event information (PS3.4 Tables J.3-1 and J.3-2).

Read and written as bytes, for there may be 100,000 references.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from pacs.dataset.elements import Element, Encoding, read_elements
from pacs.dataset.transfer_syntax import encoding_of
from pacs.dimse.element_writer import ElementWriter
from pacs.dimse.negotiation import Context
from pacs.dimse.proposal import proposed
from pacs.errors import InvalidQuery, TooManyMatches

PUSH_MODEL = "1.2.840.10008.1.20.1"  # PS3.4 J.3.4
PUSH_MODEL_INSTANCE = "1.2.840.10008.1.20.1.1"  # J.3.5: the one that every request is about
REQUEST_COMMITMENT = 1  # Action Type ID
ALL_COMMITTED, FAILURES_EXIST = 1, 2  # Event Type IDs

PROPOSED = proposed(PUSH_MODEL)

MOST_BYTES = 32 << 20  # of the information
MOST_REFERENCES = 100_000

_TRANSACTION_UID = 0x00081195
_CLASS_UID, _INSTANCE_UID, _FAILURE_REASON = 0x00081150, 0x00081155, 0x00081197
_REFERENCED, _FAILED = 0x00081199, 0x00081198
_UID = re.compile(r"[0-9.]{1,64}")

# SOP Class UID and SOP Instance UID
Reference = tuple[str, str]


class Information(NamedTuple):
    """A request, or its result.

    references: what is to be committed, or is.  failures: what is not, with the failure reason.
    """

    transaction_uid: str
    references: Sequence[Reference]
    failures: Sequence[tuple[Reference, int]] = ()


def read_information(data: bytes, context: Context) -> Information:
    """Each instance once, in the order of the data set.

    Raises MalformedObject, InvalidQuery for what lacks a UID, TooManyMatches.
    """
    return _Reader(data, encoding_of(context.transfer_syntax)).information()


class _Reader:
    def __init__(self, data: bytes, encoding: Encoding) -> None:
        self._data = data
        self._encoding = encoding

    def information(self) -> Information:
        elements = {one.tag: one for one in read_elements(self._data, self._encoding).elements}
        referenced = elements.get(_REFERENCED), elements.get(_FAILED)
        if sum(len(one.items or ()) for one in referenced if one) > MOST_REFERENCES:
            raise TooManyMatches(f"more than {MOST_REFERENCES} instances are named; part the request")
        references, failed = (
            [_by_tag(item) for item in one.items or ()] if one else [] for one in referenced
        )
        return Information(
            self._uid(elements, _TRANSACTION_UID),
            list(dict.fromkeys(map(self._reference, references))),
            list({self._reference(item): self._reason(item) for item in failed}.items()),
        )

    def _reference(self, item: dict[int, Element]) -> Reference:
        return self._uid(item, _CLASS_UID), self._uid(item, _INSTANCE_UID)

    def _uid(self, elements: dict[int, Element], tag: int) -> str:
        text = self._value(elements, tag).decode("latin-1").strip("\0 ")
        if not _UID.fullmatch(text):
            raise InvalidQuery(f"({tag >> 16:04X},{tag & 0xFFFF:04X}) is absent, or no UID", tag)
        return text

    def _reason(self, item: dict[int, Element]) -> int:
        value = self._value(item, _FAILURE_REASON)
        return int.from_bytes(value[:2], "little" if self._encoding.little_endian else "big")

    def _value(self, elements: dict[int, Element], tag: int) -> bytes:
        element = elements.get(tag)
        return self._data[element.offset : element.offset + element.length] if element else b""


def _by_tag(item: list[Element]) -> dict[int, Element]:
    return {element.tag: element for element in item}


def write_information(information: Information, context: Context) -> bytes:
    """The data set that says it."""
    writer = ElementWriter(encoding_of(context.transfer_syntax))

    def item(reference: Reference) -> bytes:
        sop_class, uid = reference
        return writer.uid(_CLASS_UID, sop_class) + writer.uid(_INSTANCE_UID, uid)

    failed = [item(one) + writer.number(_FAILURE_REASON, reason) for one, reason in information.failures]
    referenced = [item(one) for one in information.references]
    return b"".join(
        (
            writer.uid(_TRANSACTION_UID, information.transaction_uid),
            writer.sequence(_FAILED, failed) if failed else b"",
            writer.sequence(_REFERENCED, referenced) if referenced else b"",
        )
    )
