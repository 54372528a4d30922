"""The head of a Part 10 file (PS3.10 7.1): reading the sender's, writing ours."""

from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from struct import pack, unpack_from

from pacs.dataset.vr import LONG_VRS, SHORT_VRS
from pacs.errors import MalformedObject
from pacs.model import Source

IMPLEMENTATION_CLASS_UID = "2.25.190146791043182537444806132342625375407"
IMPLEMENTATION_VERSION_NAME = f"DIAFANA_{version('diafana')}"[:16]

META_LIMIT = 1 << 16  # bytes; file meta information of real files is below 1 KB
KNOWN_ELEMENTS = 256  # that are kept encoded: those of one head are mostly those of the one before
HEAD_LIMIT = META_LIMIT + 16  # bytes; enough to see where the longest ends

_MAGIC_END = 132
_GROUP_LENGTH_END = _MAGIC_END + 12
_FILE_META = (0x0002, 0x0003, 0x0010)  # of group 0002: what FileMeta has
_SENDING_AE_TITLE = 0x0017
_CREATOR, _INFORMATION = 0x0100, 0x0102  # Private Information, and whose it is
_READ = (*_FILE_META, _SENDING_AE_TITLE, _CREATOR, _INFORMATION)
_DIGEST = 32  # bytes of a BLAKE3
_SHORT, _LONG = (frozenset(vr.encode() for vr in vrs) for vrs in (SHORT_VRS, LONG_VRS))
_PREAMBLE = bytes(128)  # nothing that another program could take for its own (CVE-2019-11687)


@dataclass(frozen=True, slots=True)
class FileMeta:
    """What file meta information says that the archive needs (PS3.10 Table 7.1-1)."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str


def file_meta_bytes(
    meta: FileMeta,
    source: Source,
    receiver: str,
    data_set: int | None = None,
    block: int = 1,
    came: str = "",
) -> bytes:
    """Preamble, prefix and file meta information of our own making.

    receiver: AE title that took the object in, empty when none did.
    data_set: bytes of it, where they are known: the head is then made so long that both together fill
        blocks of that many bytes.
    came: BLAKE3 of the data set as it came, hexadecimal, where it is another that is kept.
    """
    body = b"".join(
        (
            pack("<HH2sHI", 2, 0x0001, b"OB", 0, 2) + b"\x00\x01",
            _element(0x0002, b"UI", meta.sop_class_uid),
            _element(0x0003, b"UI", meta.sop_instance_uid),
            _element(0x0010, b"UI", meta.transfer_syntax_uid),
            _element(0x0012, b"UI", IMPLEMENTATION_CLASS_UID),
            _element(0x0013, b"SH", IMPLEMENTATION_VERSION_NAME),
            _element(0x0017, b"AE", source.ae_title),
            _element(0x0018, b"AE", receiver),
        )
    )
    missing = 0 if data_set is None else -(_GROUP_LENGTH_END + len(body) + data_set) % block
    if missing or came:
        body += _private_information(bytes.fromhex(came), missing, block)
    return b"".join((_PREAMBLE, b"DICM", pack("<HH2sHI", 2, 0, b"UL", 4, len(body)), body))


def _private_information(content: bytes, length: int, block: int) -> bytes:
    """Private Information (PS3.10 7.1) of so many bytes, or of blocks more where these are too few.

    It begins with the content, which is of even length; all else is zeros.
    """
    creator = _element(_CREATOR, b"UI", IMPLEMENTATION_CLASS_UID)
    filling = (length - len(creator) - 12 - len(content)) % block & ~1  # values are of even length
    value = content + bytes(filling)
    return creator + pack("<HH2sHI", 2, _INFORMATION, b"OB", 0, len(value)) + value


@lru_cache(KNOWN_ELEMENTS)
def _element(number: int, vr: bytes, text: str) -> bytes:
    value = text.encode("ascii", "replace")[:64]  # what is longer is wrong, and refused or written anew
    if not value:
        return b""
    if len(value) % 2:
        value += b"\0" if vr == b"UI" else b" "
    return pack("<HH2sH", 2, number, vr, len(value)) + value


def sending_ae_title(head: bytes) -> str:
    """Who sent the object here, as the head of a file of ours says it; empty for who has no title."""
    values, _ = _read_group(head)
    return _text(values, _SENDING_AE_TITLE)


def came_as(head: bytes) -> str:
    """BLAKE3 of the data set as it came, by the head of a file of ours; empty where it is kept as it came."""
    values, _ = _read_group(head)
    if _text(values, _CREATOR) != IMPLEMENTATION_CLASS_UID:
        return ""
    digest = values.get(_INFORMATION, b"")[:_DIGEST]
    return digest.hex() if any(digest) else ""


def read_file_meta(head: bytes) -> tuple[FileMeta, int] | None:
    """What the head of a file says, and where its data set begins; None when more bytes are needed.

    Raises MalformedObject when this is no Part 10 file.
    """
    if len(head) < _GROUP_LENGTH_END:
        return None
    if head[128:132] != b"DICM":
        raise MalformedObject("not a DICOM Part 10 file: the prefix DICM is missing at byte 128")
    values, end = _read_group(head)
    return None if end is None else (_file_meta(values), end)


def _read_group(head: bytes) -> tuple[dict[int, bytes], int | None]:
    """The elements that are looked for, and where the group ends; None when more bytes are needed."""
    values: dict[int, bytes] = {}
    pos = _MAGIC_END
    while pos + 12 <= len(head):  # group 0002 ends by its elements: group lengths are often wrong
        group, number, vr, length = unpack_from("<HH2sH", head, pos)
        if group != 2:
            return values, pos
        pos += 8
        if vr in _LONG:
            (length,) = unpack_from("<I", head, pos)
            pos += 4
        elif vr not in _SHORT:
            raise MalformedObject(f"the VR of (0002,{number:04X}) is unknown", 0x00020000 | number)
        if number in _READ:
            values[number] = head[pos : pos + length]
        pos += length
        if pos > META_LIMIT:
            raise MalformedObject(f"the file meta information exceeds {META_LIMIT >> 10} KB", 0x00020000)
    return values, None


def _text(values: dict[int, bytes], number: int) -> str:
    return values.get(number, b"").decode("latin-1").strip("\0 ")


def _file_meta(values: dict[int, bytes]) -> FileMeta:
    sop_class, sop_instance, transfer_syntax = (_text(values, number) for number in _FILE_META)
    if not transfer_syntax:
        raise MalformedObject("the file does not say its transfer syntax (0002,0010)", 0x00020010)
    return FileMeta(sop_class, sop_instance, transfer_syntax)
