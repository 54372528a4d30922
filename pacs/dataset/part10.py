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
_READ = (*_FILE_META, _SENDING_AE_TITLE)
_SHORT, _LONG = (frozenset(vr.encode() for vr in vrs) for vrs in (SHORT_VRS, LONG_VRS))
_PREAMBLE = bytes(128)  # nothing that another program could take for its own (CVE-2019-11687)


@dataclass(frozen=True, slots=True)
class FileMeta:
    """What file meta information says that the archive needs (PS3.10 Table 7.1-1)."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str


def file_meta_bytes(
    meta: FileMeta, source: Source, receiver: str, data_set: int | None = None, block: int = 1
) -> bytes:
    """Preamble, prefix and file meta information of our own making.

    receiver: AE title that took the object in, empty when none did.
    data_set: bytes of it, where they are known: the head is then made so long that both together fill
        blocks of that many bytes.
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
    if data_set is not None:
        body += _filling(-(_GROUP_LENGTH_END + len(body) + data_set) % block, block)
    return b"".join((_PREAMBLE, b"DICM", pack("<HH2sHI", 2, 0, b"UL", 4, len(body)), body))


def _filling(length: int, block: int) -> bytes:
    """Private Information (PS3.10 7.1) of so many bytes, or of a block more where these are too few."""
    if length == 0:
        return b""
    creator = _element(0x0100, b"UI", IMPLEMENTATION_CLASS_UID)
    rest = (length - len(creator) - 12) % block & ~1  # values are of even length
    return creator + pack("<HH2sHI", 2, 0x0102, b"OB", 0, rest) + bytes(rest)


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
    texts, _ = _read_group(head)
    return texts.get(_SENDING_AE_TITLE, "")


def read_file_meta(head: bytes) -> tuple[FileMeta, int] | None:
    """What the head of a file says, and where its data set begins; None when more bytes are needed.

    Raises MalformedObject when this is no Part 10 file.
    """
    if len(head) < _GROUP_LENGTH_END:
        return None
    if head[128:132] != b"DICM":
        raise MalformedObject("not a DICOM Part 10 file: the prefix DICM is missing at byte 128")
    texts, end = _read_group(head)
    return None if end is None else (_file_meta(texts), end)


def _read_group(head: bytes) -> tuple[dict[int, str], int | None]:
    """The elements that are looked for, and where the group ends; None when more bytes are needed."""
    texts: dict[int, str] = {}
    pos = _MAGIC_END
    while pos + 12 <= len(head):  # group 0002 ends by its elements: group lengths are often wrong
        group, number, vr, length = unpack_from("<HH2sH", head, pos)
        if group != 2:
            return texts, pos
        pos += 8
        if vr in _LONG:
            (length,) = unpack_from("<I", head, pos)
            pos += 4
        elif vr not in _SHORT:
            raise MalformedObject(f"the VR of (0002,{number:04X}) is unknown", 0x00020000 | number)
        if number in _READ:
            texts[number] = head[pos : pos + length].decode("latin-1").strip("\0 ")
        pos += length
        if pos > META_LIMIT:
            raise MalformedObject(f"the file meta information exceeds {META_LIMIT >> 10} KB", 0x00020000)
    return texts, None


def _file_meta(texts: dict[int, str]) -> FileMeta:
    sop_class, sop_instance, transfer_syntax = (texts.get(number, "") for number in _FILE_META)
    if not transfer_syntax:
        raise MalformedObject("the file does not say its transfer syntax (0002,0010)", 0x00020010)
    return FileMeta(sop_class, sop_instance, transfer_syntax)
