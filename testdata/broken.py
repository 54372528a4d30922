"""Files that are wrong, hostile, or merely odd, each with what an archive must do with it."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit

from testdata import raw_bytes as raw
from testdata.raw_bytes import PIXEL_DATA, UNDEFINED, element, fields, file_meta, item, part10_bytes, written

_MEBIBYTE = 1 << 20
_BOMB_SIZE = 512 * _MEBIBYTE
_DEPTH = 500
_PATIENT_ID = 0x00100020


@dataclass(frozen=True)
class Broken:
    """One entry of the table.

    build: makes the bytes.  reason: why it is taken or not, in few words.
    accepted: whether the object must be stored; if not, it must be refused, and nothing of it served.
    """

    build: Callable[[], bytes]
    accepted: bool
    reason: str

    @property
    def data(self) -> bytes:
        """The bytes of the file."""
        return self.build()


def sound() -> bytes:
    """The object from which the others are spoilt: nothing is wrong with it."""
    return part10_bytes(file_meta("sound"), written(fields("sound")))


def empty_file() -> bytes:
    """No byte at all."""
    return b""


def prefix_only() -> bytes:
    """A preamble and the prefix, then nothing."""
    return part10_bytes(b"", b"")


def not_dicom() -> bytes:
    """A web page."""
    return b"<!DOCTYPE html><title>502 Bad Gateway</title>" * 20


def no_preamble() -> bytes:
    """A bare data set in Implicit VR Little Endian, as it travels over the network."""
    return b"".join(
        struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(raw.padded(vr, value))) + raw.padded(vr, value)
        for tag, (vr, value) in sorted(fields("no_preamble").items())
    )


def no_transfer_syntax() -> bytes:
    """File meta information that does not say how the data set is encoded."""
    return part10_bytes(file_meta("no_transfer_syntax", None), written(fields("no_transfer_syntax")))


def unknown_transfer_syntax() -> bytes:
    """A transfer syntax that exists nowhere."""
    return part10_bytes(
        file_meta("unknown_transfer_syntax", "2.999.39.7"), written(fields("unknown_transfer_syntax"))
    )


def truncated_in_file_meta() -> bytes:
    """Cut in the middle of the file meta information."""
    return sound()[: 132 + 40]


def truncated_in_header() -> bytes:
    """Cut in the middle of the patient's name."""
    data = sound()
    return data[: data.index(b"Gu\xc3\xa0sti") + 4]


def truncated_in_pixel_data() -> bytes:
    """Cut before the last four pixels."""
    return sound()[:-4]


def short_length_beyond_end() -> bytes:
    """A patient identifier (16-bit length) that claims to be longer than the file."""
    return raw.with_element("short_length_beyond_end", element(_PATIENT_ID, "LO", b"X" * 8, length=0xFFFE))


def long_length_beyond_end() -> bytes:
    """A private value (32-bit length) that claims nearly four gigabytes."""
    return raw.with_element("long_length_beyond_end", element(0x00111001, "OB", b"X" * 8, length=0xFFFFFFF0))


def implicit_length_beyond_end() -> bytes:
    """The same lie in Implicit VR Little Endian."""
    name = "implicit_length_beyond_end"
    start = struct.pack("<HHI", 0x0008, 0x0016, 0x7FFFFFF0) + b"1.2.840.10008"
    return part10_bytes(file_meta(name, ImplicitVRLittleEndian), start)


def wrong_vr() -> bytes:
    """A VR of two bytes 0xFF: no explicit VR, and no sensible length if read as implicit."""
    spoilt = struct.pack("<HH", 0x0010, 0x0020) + b"\xff\xff" + struct.pack("<H", 4) + b"ABCD"
    return raw.with_element("wrong_vr", spoilt)


def missing_sop_instance_uid() -> bytes:
    """A data set without SOP Instance UID, although the file meta information has one."""
    return raw.without("missing_sop_instance_uid", 0x00080018)


def missing_study_instance_uid() -> bytes:
    """A data set without Study Instance UID."""
    return raw.without("missing_study_instance_uid", 0x0020000D)


def missing_series_instance_uid() -> bytes:
    """A data set without Series Instance UID."""
    return raw.without("missing_series_instance_uid", 0x0020000E)


def uid_climbs_folders() -> bytes:
    """A SOP Instance UID that would leave the folder, were it a file name."""
    return raw.with_instance_uid("uid_climbs_folders", "../../x")


def uid_too_long() -> bytes:
    """A SOP Instance UID of 70 characters, otherwise well formed."""
    return raw.with_instance_uid("uid_too_long", "2.999." + "1234567." * 7 + "12345678")


def uid_not_numeric() -> bytes:
    """A Study Instance UID that is a word."""
    return raw.with_changes("uid_not_numeric", {0x0020000D: ("UI", b"study-1")})


def nested_30_deep() -> bytes:
    """Sequences within sequences, deeper than anything seen in the wild, and still in measure."""
    return _nested("nested_30_deep", 30, defined=True)


def nested_defined_length() -> bytes:
    """Sequences 500 deep, each with its length."""
    return _nested("nested_defined_length", _DEPTH, defined=True)


def nested_undefined_length() -> bytes:
    """Sequences 500 deep, each closed by its delimiter."""
    return _nested("nested_undefined_length", _DEPTH, defined=False)


def unclosed_sequence() -> bytes:
    """A sequence and an item of undefined length; the file ends before their delimiters."""
    name = "unclosed_sequence"
    inner = item(element(0x0040A160, "UT", b"text"), UNDEFINED)
    tail = raw.header(0x0040A730, "SQ", UNDEFINED) + inner
    head = {tag: field for tag, field in fields(name).items() if tag < 0x00400000}
    return part10_bytes(file_meta(name), written(head) + tail)


def deflated_bomb() -> bytes:
    """About half a megabyte that inflates to 512 MiB of zeros in one element."""
    name = "deflated_bomb"
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = {tag: field for tag, field in fields(name).items() if tag < 0x00280000}
    start = written(head) + raw.header(0x00420011, "OB", _BOMB_SIZE)
    stream = deflater.compress(start) + deflater.flush(zlib.Z_FULL_FLUSH)
    # After a full flush nothing before is referred to, so one deflated block can stand for all.
    block = deflater.compress(bytes(_MEBIBYTE)) + deflater.flush(zlib.Z_FULL_FLUSH)
    stream += block * (_BOMB_SIZE // _MEBIBYTE) + deflater.flush(zlib.Z_FINISH)
    return part10_bytes(file_meta(name, DeflatedExplicitVRLittleEndian), stream)


def deflated_truncated() -> bytes:
    """A deflated data set whose stream breaks off."""
    name = "deflated_truncated"
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    stream = deflater.compress(written(fields(name))) + deflater.flush(zlib.Z_FINISH)
    return part10_bytes(file_meta(name, DeflatedExplicitVRLittleEndian), stream[: len(stream) // 2])


def fragments_without_delimiter() -> bytes:
    """Encapsulated pixel data that ends with the file and not with a sequence delimiter."""
    return _encapsulated("fragments_without_delimiter", item(b"") + item(_JPEG))


def fragment_beyond_end() -> bytes:
    """A fragment that claims more bytes than the file has."""
    value = item(b"") + item(_JPEG, length=0x00FFFFF0) + raw.SEQUENCE_END
    return _encapsulated("fragment_beyond_end", value)


def private_sop_class() -> bytes:
    """A sound object of a SOP class that only its maker knows."""
    name = "private_sop_class"
    private = "2.999.39.1001.1"
    changed = fields(name) | {
        0x00080016: ("UI", private.encode()),
        0x00110010: ("LO", b"PROVA"),
        0x00111001: ("UN", b"\x01\x02"),
    }
    return part10_bytes(file_meta(name, sop_class_uid=private), written(changed))


def odd_length() -> bytes:
    """A text of odd length, against PS3.5 7.1.1 and not rare."""
    return raw.with_element("odd_length", element(0x00104000, "LT", b"odd"))


def executable_preamble() -> bytes:
    """A sound object that is also the start of a Windows program (CVE-2019-11687)."""
    preamble = b"MZ\x90\x00".ljust(60, b"\x00") + struct.pack("<I", 128)
    return part10_bytes(file_meta("executable_preamble"), written(fields("executable_preamble")), preamble)


def pdf_preamble() -> bytes:
    """A sound object that a PDF reader would open."""
    preamble = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n"
    return part10_bytes(file_meta("pdf_preamble"), written(fields("pdf_preamble")), preamble)


def enormous_dimensions() -> bytes:
    """65535 x 65535 pixels of 2 147 483 647 frames, told of sixteen bytes.

    Not in the table: an archive may keep it, but nothing may reserve memory for what it claims.
    """
    side = ("US", struct.pack("<H", 0xFFFF))
    frames = ("IS", b"2147483647")
    return raw.with_changes("enormous_dimensions", {0x00280008: frames, 0x00280010: side, 0x00280011: side})


# The start and end of a JPEG stream: enough for what does not decode it.
_JPEG = b"\xff\xd8\xff\xfe\x00\x04\x00\x00\xff\xd9"


def _nested(name: str, depth: int, *, defined: bool) -> bytes:
    content = element(0x0040A160, "UT", b"core")
    for _ in range(depth):
        if defined:
            content = element(0x0040A730, "SQ", item(content))
        else:
            inner = item(content, UNDEFINED) + raw.ITEM_END
            content = element(0x0040A730, "SQ", inner + raw.SEQUENCE_END, UNDEFINED)
    return raw.with_element(name, content)


def _encapsulated(name: str, value: bytes) -> bytes:
    head = {tag: field for tag, field in fields(name).items() if tag != PIXEL_DATA}
    tail = raw.header(PIXEL_DATA, "OB", UNDEFINED) + value
    return part10_bytes(file_meta(name, JPEGBaseline8Bit), written(head) + tail)


BROKEN: dict[str, Broken] = {
    entry.build.__name__: entry
    for entry in (
        Broken(sound, True, "nothing is wrong: the control"),
        Broken(nested_30_deep, True, "depth within measure: the control for depth"),
        Broken(private_sop_class, True, "private SOP classes are kept like others"),
        Broken(odd_length, True, "odd lengths are not rare and harm nobody"),
        Broken(executable_preamble, True, "the data set is sound; the preamble must not be passed on"),
        Broken(pdf_preamble, True, "the data set is sound; the preamble must not be passed on"),
        Broken(empty_file, False, "no object"),
        Broken(prefix_only, False, "no object behind the prefix"),
        Broken(not_dicom, False, "not DICOM"),
        Broken(no_preamble, False, "not a Part 10 file"),
        Broken(no_transfer_syntax, False, "nobody can know how to read it"),
        Broken(unknown_transfer_syntax, False, "nobody can know how to read it"),
        Broken(truncated_in_file_meta, False, "the file ends early"),
        Broken(truncated_in_header, False, "the file ends early"),
        Broken(truncated_in_pixel_data, False, "the file ends early"),
        Broken(short_length_beyond_end, False, "an element is longer than the file"),
        Broken(long_length_beyond_end, False, "an element is longer than the file"),
        Broken(implicit_length_beyond_end, False, "an element is longer than the file"),
        Broken(wrong_vr, False, "not readable behind that element"),
        Broken(missing_sop_instance_uid, False, "cannot be addressed"),
        Broken(missing_study_instance_uid, False, "cannot be addressed"),
        Broken(missing_series_instance_uid, False, "cannot be addressed"),
        Broken(uid_climbs_folders, False, "not a UID"),
        Broken(uid_too_long, False, "not a UID: more than 64 characters"),
        Broken(uid_not_numeric, False, "not a UID"),
        Broken(nested_defined_length, False, "deeper than any reader should follow"),
        Broken(nested_undefined_length, False, "deeper than any reader should follow"),
        Broken(unclosed_sequence, False, "the file ends early"),
        Broken(deflated_bomb, False, "inflates beyond all measure"),
        Broken(deflated_truncated, False, "the deflated stream ends early"),
        Broken(fragments_without_delimiter, False, "the file ends early"),
        Broken(fragment_beyond_end, False, "a fragment is longer than the file"),
    )
}
