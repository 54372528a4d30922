"""How each transfer syntax writes a data set, PS3.5 10 and PS3.6 Table A-1."""

import zlib

from pydicom._uid_dict import UID_dictionary

from pacs.dataset.elements import Buffer, Encoding
from pacs.errors import MalformedObject, UnsupportedObject

IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
EXPLICIT_BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"

INFLATED_LIMIT = 128 << 20  # bytes; a data set that inflates beyond it is taken for a bomb

# Every transfer syntax of the standard, retired ones too, but for the forms that are not files of
# elements: XML, and the video streams of PS3.22.
TRANSFER_SYNTAXES: frozenset[str] = frozenset(
    uid
    for uid, row in UID_dictionary.items()
    if row[1] == "Transfer Syntax" and not uid.startswith(("1.2.840.10008.1.2.6", "1.2.840.10008.1.2.7"))
) | {  # younger than pydicom's table
    "1.2.840.10008.1.2.4.110",  # JPEG XL Lossless
    "1.2.840.10008.1.2.4.111",  # JPEG XL JPEG Recompression
    "1.2.840.10008.1.2.4.112",  # JPEG XL
    "1.2.840.10008.1.2.8.1",  # Deflated Image Frame Compression
}


_KEYWORD = 4  # its place in a row of pydicom's table
_BY_KEYWORD = {UID_dictionary[uid][_KEYWORD]: uid for uid in TRANSFER_SYNTAXES if uid in UID_dictionary}


def encoding_of(transfer_syntax_uid: str) -> Encoding:
    """How elements are written in this transfer syntax. Raises UnsupportedObject for an unknown one."""
    if transfer_syntax_uid not in TRANSFER_SYNTAXES:
        raise UnsupportedObject("its transfer syntax is none of the standard's", 0x00020010)
    return Encoding(
        explicit=transfer_syntax_uid != IMPLICIT_LITTLE_ENDIAN,
        little_endian=transfer_syntax_uid != EXPLICIT_BIG_ENDIAN,
    )


def name_of(transfer_syntax_uid: str) -> str:
    """Its keyword (PS3.6 Table A-1), or the UID where our table has none."""
    row = UID_dictionary.get(transfer_syntax_uid)
    return row[_KEYWORD] if row else transfer_syntax_uid


def named(name: str) -> str | None:
    """The UID of a transfer syntax that is named by it or by its keyword; None for anything else."""
    uid = _BY_KEYWORD.get(name, name)
    return uid if uid in TRANSFER_SYNTAXES else None


def is_deflated(transfer_syntax_uid: str) -> bool:
    """Whether the whole data set is deflated (PS3.5 A.5)."""
    return transfer_syntax_uid == DEFLATED


def inflate(deflated: Buffer) -> bytes:
    """The data set of a deflated object.

    Raises MalformedObject when it cannot be inflated, or grows beyond INFLATED_LIMIT.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(deflated, INFLATED_LIMIT)
    except zlib.error as error:
        raise MalformedObject(f"the data set cannot be inflated: {error}") from error
    if inflater.unconsumed_tail:
        raise MalformedObject(f"the data set inflates beyond {INFLATED_LIMIT >> 20} MB")
    if not inflater.eof:
        raise MalformedObject("the deflated data set ends too early")
    return inflated
