"""Command sets (PS3.7 6.3 and Annex E): always implicit little endian, always group 0000.

pynetdicom's coding of the same is the reference in a differential test; this one costs a tenth.
"""

from functools import lru_cache
from struct import iter_unpack, pack, unpack_from
from typing import Any

from pacs.errors import MalformedObject

# PS3.7 Table E.1-1, what the services here use: element number -> keyword, VR
ELEMENTS: dict[int, tuple[str, str]] = {
    0x0002: ("AffectedSOPClassUID", "UI"),
    0x0003: ("RequestedSOPClassUID", "UI"),
    0x0100: ("CommandField", "US"),
    0x0110: ("MessageID", "US"),
    0x0120: ("MessageIDBeingRespondedTo", "US"),
    0x0600: ("MoveDestination", "AE"),
    0x0700: ("Priority", "US"),
    0x0800: ("CommandDataSetType", "US"),
    0x0900: ("Status", "US"),
    0x0901: ("OffendingElement", "AT"),
    0x0902: ("ErrorComment", "LO"),
    0x0903: ("ErrorID", "US"),
    0x1000: ("AffectedSOPInstanceUID", "UI"),
    0x1001: ("RequestedSOPInstanceUID", "UI"),
    0x1002: ("EventTypeID", "US"),
    0x1005: ("AttributeIdentifierList", "AT"),
    0x1008: ("ActionTypeID", "US"),
    0x1020: ("NumberOfRemainingSuboperations", "US"),
    0x1021: ("NumberOfCompletedSuboperations", "US"),
    0x1022: ("NumberOfFailedSuboperations", "US"),
    0x1023: ("NumberOfWarningSuboperations", "US"),
    0x1030: ("MoveOriginatorApplicationEntityTitle", "AE"),
    0x1031: ("MoveOriginatorMessageID", "US"),
}
_TAG_LIST = 0x1005  # the one element that is read and written as a tuple
_NUMBERS = {keyword: number for number, (keyword, _) in ELEMENTS.items()}

# PS3.7 E.1: values of Command Field; a response has the highest bit set
C_STORE_RQ, C_GET_RQ, C_FIND_RQ, C_MOVE_RQ, C_ECHO_RQ, C_CANCEL_RQ = (
    0x0001,
    0x0010,
    0x0020,
    0x0021,
    0x0030,
    0x0FFF,
)
N_EVENT_REPORT_RQ, N_GET_RQ, N_SET_RQ, N_ACTION_RQ, N_CREATE_RQ, N_DELETE_RQ = (
    0x0100,
    0x0110,
    0x0120,
    0x0130,
    0x0140,
    0x0150,
)
RESPONSE = 0x8000
NO_DATA_SET = 0x0101
DATA_SET = 0x0001

KNOWN_ELEMENTS = 256  # that are kept encoded: of a response all but two are as they were in the one before

Command = dict[str, Any]


def decode_command(data: bytes | bytearray) -> Command:
    """Keywords and values; elements that are not in the table are left out.

    Raises MalformedObject when an element leads beyond the end.
    """
    command: Command = {}
    position, end = 0, len(data)
    while position + 8 <= end:
        group, number, length = unpack_from("<HHI", data, position)
        position += 8
        if group != 0 or position + length > end:
            raise MalformedObject("the command set cannot be read")
        after = position + length
        if number in ELEMENTS:
            keyword, vr = ELEMENTS[number]
            command[keyword] = _decode(number, vr, data[position:after])
        position = after
    return command


def _decode(number: int, vr: str, value: bytes | bytearray) -> int | str | tuple[int, ...]:
    if vr == "US":
        return int.from_bytes(value[:2], "little")
    if vr == "AT":
        tags = tuple(group << 16 | low for group, low in iter_unpack("<HH", value[: len(value) & ~3]))
        return tags if number == _TAG_LIST else (tags or (0,))[0]
    return value.decode("latin-1").strip("\0 ")


def encode_command(command: Command) -> bytes:
    """The bytes of a command set, its group length first."""
    rows = sorted([(_NUMBERS[keyword], value) for keyword, value in command.items()])
    body = b"".join([_encode(number, value) for number, value in rows])
    return pack("<HHII", 0, 0, 4, len(body)) + body


@lru_cache(KNOWN_ELEMENTS)
def _encode(number: int, value: int | str | tuple[int, ...]) -> bytes:
    vr = ELEMENTS[number][1]
    if isinstance(value, tuple):
        content = b"".join(pack("<HH", tag >> 16, tag & 0xFFFF) for tag in value)
    elif isinstance(value, int):
        content = pack("<H", value) if vr == "US" else pack("<HH", value >> 16, value & 0xFFFF)
    else:
        content = value.encode("latin-1", "replace")
        if len(content) % 2:
            content += b"\0" if vr == "UI" else b" "
    return pack("<HHI", 0, number, len(content)) + content
