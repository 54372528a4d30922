"""What is done with an element of each tag: Table E.1-1, and what holds for tags that it does not list."""

from enum import Enum
from functools import cache

from pydicom.datadict import tag_for_keyword

from pacs.dataset.vr import implicit_vr
from pacs.deidentification.table import OWN_ROWS, TABLE_E_1_1, YOUNGER_ROWS


class Action(Enum):
    """What is done with an element."""

    KEEP = "as it is; the items of a sequence are cleaned"
    REMOVE = "it is left out"
    EMPTY = "its value has no length"
    DUMMY = "its value says nothing"
    UID = "its UIDs become others"


# PS3.15 Table E.1-1a. Which IOD requires what is not known here, so of two actions the one that no IOD is
# broken by is done: none that stands behind the other tells more of the patient.
_OF_CODE = {
    "X": Action.REMOVE,
    "Z": Action.EMPTY,
    "D": Action.DUMMY,
    "U": Action.UID,
    "X/Z": Action.EMPTY,
    "X/D": Action.DUMMY,
    "Z/D": Action.DUMMY,
    "X/Z/D": Action.DUMMY,
    "X/Z/U*": Action.KEEP,  # the instance UIDs within are replaced, as all are
}

_LISTED: dict[int, Action] = {
    tag: _OF_CODE[code]
    for rows in (TABLE_E_1_1, YOUNGER_ROWS, OWN_ROWS)
    for code, keywords in rows.items()
    for keyword in keywords.split()
    if (tag := tag_for_keyword(keyword)) is not None
}

# Of the VRs that may identify, whatever the attribute (PS3.15 E.1.1 note 4 to Table E.1-1a)
_OF_VR = {
    "UI": Action.UID,
    "DA": Action.DUMMY,
    "DT": Action.DUMMY,
    "TM": Action.DUMMY,
    "PN": Action.DUMMY,
    "UR": Action.DUMMY,  # addresses within a hospital, with the UIDs of what lies there
    "UN": Action.REMOVE,  # the data dictionary does not know the attribute
}

# UIDs and URLs that name kinds and vocabularies, not what was made of a patient
_KINDS = frozenset(
    tag_for_keyword(keyword)
    for keyword in (
        "AvailableTransferSyntaxUID",
        "CodingSchemeUID",
        "CodingSchemeURL",
        "ContextUID",
        "MappingResourceUID",
        "OriginalSpecializedSOPClassUID",
        "ReferencedSOPClassUID",
        "RelatedGeneralSOPClassUID",
        "SOPClassUID",
        "StoredInstanceTransferSyntaxUID",
        "URNCodeValue",
    )
)

_FIRST_GROUP = 0x0008  # those before are of commands, files and directories, and of no data set
_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})  # of an icon or the like: nobody looks at them
_REPEATING = (0x5000, 0x6000)  # curves and overlays: without its data the rest of an overlay is void


@cache
def action_of(tag: int) -> Action:
    """What the Basic Profile does with an element of this tag, at whatever depth."""
    if _is_foreign(tag) or tag in _PIXELS:
        return Action.REMOVE
    if tag in _LISTED:
        return _LISTED[tag]
    if tag in _KINDS:
        return Action.KEEP
    return _OF_VR.get(implicit_vr(tag), Action.KEEP)


def _is_foreign(tag: int) -> bool:
    group, number = tag >> 16, tag & 0xFFFF
    is_private = group % 2 == 1
    return is_private or group < _FIRST_GROUP or number == 0 or group & 0xFF00 in _REPEATING
