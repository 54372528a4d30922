"""Objects written byte by byte, without a library that would mend them.

Explicit VR Little Endian (PS3.5 7.1.2) unless said otherwise.
"""

import struct
from collections.abc import Mapping

from pydicom.uid import PYDICOM_IMPLEMENTATION_UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from testdata.studies import uid

UNDEFINED = 0xFFFFFFFF
PIXEL_DATA = 0x7FE00010
SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
ITEM_END = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)

# PS3.5 7.1.2: these have two reserved bytes and a length of 32 bits.
_LONG = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
_ZERO_PADDED = frozenset({"UI", "OB", "OW", "UN"})

Fields = Mapping[int, tuple[str, bytes]]


def element(tag: int, vr: str, value: bytes, length: int | None = None) -> bytes:
    """One element as it stands; length, where given, is what it claims instead of the truth."""
    said = len(value) if length is None else length
    return header(tag, vr, said) + value


def header(tag: int, vr: str, length: int) -> bytes:
    """Tag, VR and length of an element."""
    start = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    return start + (struct.pack("<HI", 0, length) if vr in _LONG else struct.pack("<H", length))


def item(content: bytes, length: int | None = None) -> bytes:
    """An item, of a sequence or a fragment, with its true length or another."""
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(content) if length is None else length) + content


def padded(vr: str, value: bytes) -> bytes:
    """The value made even as its VR wants (PS3.5 6.2)."""
    return value + (b"\x00" if vr in _ZERO_PADDED else b" ") * (len(value) % 2)


def fields(name: str) -> dict[int, tuple[str, bytes]]:
    """A sound little picture of 4 x 4 pixels; its SOP Instance UID follows from the name."""
    return {
        0x00080005: ("CS", b"ISO_IR 192"),
        0x00080016: ("UI", SecondaryCaptureImageStorage.encode()),
        0x00080018: ("UI", uid("raw", name).encode()),
        0x00080020: ("DA", b"20261103"),
        0x00080030: ("TM", b"083000"),
        0x00080050: ("SH", b"PROVA9000000"),
        0x00080060: ("CS", b"OT"),
        0x00080064: ("CS", b"WSD"),
        0x00080090: ("PN", b""),
        0x00100010: ("PN", "Guàsti^Gòffredo".encode()),
        0x00100020: ("LO", b"GSTGFR70X00X009Z"),
        0x00100030: ("DA", b"19700101"),
        0x00100040: ("CS", b"M"),
        0x0020000D: ("UI", uid("raw study").encode()),
        0x0020000E: ("UI", uid("raw series").encode()),
        0x00200010: ("SH", b"9"),
        0x00200011: ("IS", b"1"),
        0x00200013: ("IS", b"1"),
        0x00280002: ("US", struct.pack("<H", 1)),
        0x00280004: ("CS", b"MONOCHROME2"),
        0x00280010: ("US", struct.pack("<H", 4)),
        0x00280011: ("US", struct.pack("<H", 4)),
        0x00280100: ("US", struct.pack("<H", 8)),
        0x00280101: ("US", struct.pack("<H", 8)),
        0x00280102: ("US", struct.pack("<H", 7)),
        0x00280103: ("US", struct.pack("<H", 0)),
        PIXEL_DATA: ("OB", bytes(range(0, 256, 16))),
    }


def written(elements: Fields) -> bytes:
    """The data set, in the order of tags, each value made even."""
    return b"".join(element(tag, vr, padded(vr, value)) for tag, (vr, value) in sorted(elements.items()))


def file_meta(name: str, transfer_syntax_uid: str | None = ExplicitVRLittleEndian, **uids: str) -> bytes:
    """File meta information with its group length (PS3.10 7.1); without a transfer syntax when None is given.

    uids: sop_class_uid, sop_instance_uid, where they are not those of `fields(name)`.
    """
    group = element(0x00020001, "OB", b"\x00\x01")
    for tag, value in (
        (0x00020002, uids.get("sop_class_uid", SecondaryCaptureImageStorage)),
        (0x00020003, uids.get("sop_instance_uid", uid("raw", name))),
        (0x00020010, transfer_syntax_uid),
        (0x00020012, PYDICOM_IMPLEMENTATION_UID),
    ):
        if value is not None:
            group += element(tag, "UI", padded("UI", value.encode()))
    return element(0x00020000, "UL", struct.pack("<I", len(group))) + group


def part10_bytes(meta: bytes, data_set: bytes, preamble: bytes = b"") -> bytes:
    """A file: the preamble filled up to 128 bytes, the prefix, the meta information and the data set."""
    return preamble.ljust(128, b"\x00") + b"DICM" + meta + data_set


def with_changes(name: str, changes: dict[int, tuple[str, bytes]]) -> bytes:
    """The file of `fields(name)` with some elements added or replaced."""
    return part10_bytes(file_meta(name), written(fields(name) | changes))


def without(name: str, tag: int) -> bytes:
    """The file of `fields(name)` without one element."""
    rest = {each: field for each, field in fields(name).items() if each != tag}
    return part10_bytes(file_meta(name), written(rest))


def with_instance_uid(name: str, value: str) -> bytes:
    """The file of `fields(name)` under another SOP Instance UID, in the file meta information too."""
    changed = fields(name) | {0x00080018: ("UI", value.encode())}
    return part10_bytes(file_meta(name, sop_instance_uid=value), written(changed))


def with_element(name: str, exact: bytes) -> bytes:
    """The file of `fields(name)` with one element, in its place, exactly as given."""
    group, number = struct.unpack("<HH", exact[:4])
    tag = group << 16 | number
    before = {each: field for each, field in fields(name).items() if each < tag}
    behind = {each: field for each, field in fields(name).items() if each > tag}
    return part10_bytes(file_meta(name), written(before) + exact + written(behind))
