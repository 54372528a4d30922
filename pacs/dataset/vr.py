"""Value representations as PS3.5 6.2 and 7.1.2 define them, and the VR of a tag where none is written."""

from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import dictionary_VR

# PS3.5 Table 7.1-1: explicit VRs with a reserved field and a 32-bit length. All others have a 16-bit length.
LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
SHORT_VRS = frozenset(
    {"AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT"}
    | {"PN", "SH", "SL", "SS", "ST", "TM", "UI", "UL", "US"}
)

# Values that are bytes or arrays of numbers as they lie, with the width of one number (PS3.5 7.3).
BINARY_WIDTH = {"OB": 1, "UN": 1, "OW": 2, "OL": 4, "OF": 4, "OD": 8, "OV": 8}

# struct codes of one number (PS3.5 Table 6.2-1)
NUMBER_CODES = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "UV": "Q", "SV": "q", "FL": "f", "FD": "d"}

# Text in the character set that Specific Character Set names (PS3.5 6.1.2.2).
CHARSET_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
# Text of one value, in which a backslash is a character (PS3.5 6.2).
SINGLE_TEXT_VRS = frozenset({"LT", "ST", "UT", "UR"})

_PLAIN = {tag: row[0] for tag, row in DicomDictionary.items() if " or " not in row[0]}
_AMBIGUOUS = {tag: row[0] for tag, row in DicomDictionary.items() if " or " in row[0]}


def implicit_vr(tag: int) -> str:
    """The VR of a public tag by the data dictionary (PS3.6), UN for what it does not know.

    An ambiguous VR is given in the form that holds either meaning: OW for bytes or words, US for words of
    either sign, whose sign Pixel Representation tells.
    """
    vr = _PLAIN.get(tag)
    return vr if vr is not None else _other_vr(tag)


def _other_vr(tag: int) -> str:
    if tag & 0xFFFF == 0:
        return "UL"
    if tag & 0x10000:
        return "LO" if 0x10 <= tag & 0xFFFF <= 0xFF else "UN"
    vr = _AMBIGUOUS.get(tag)
    if vr is None:
        try:  # repeating groups such as 60xx
            vr = dictionary_VR(tag)
        except KeyError:
            return "UN"
    return {"US or SS": "US", "US or OW": "OW", "US or SS or OW": "OW", "OB or OW": "OW"}.get(vr, vr)


def is_signed_by_pixel_representation(tag: int) -> bool:
    """Whether the sign of a US value depends on Pixel Representation (0028,0103)."""
    return "SS" in _AMBIGUOUS.get(tag, "")
