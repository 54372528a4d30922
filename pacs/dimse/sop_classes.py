"""The SOP classes that are taken, and the transfer syntaxes of each."""

from pydicom._uid_dict import UID_dictionary
from pynetdicom.presentation import AllStoragePresentationContexts
from pynetdicom.sop_class import _STORAGE_CLASSES

from pacs.dataset.transfer_syntax import (
    EXPLICIT_BIG_ENDIAN,
    EXPLICIT_LITTLE_ENDIAN,
    IMPLICIT_LITTLE_ENDIAN,
)
from pacs.model import Level
from pacs.non_patient import CATEGORY_OF

VERIFICATION = "1.2.840.10008.1.1"

# PS3.4 C.6: the query models with the levels that can be asked in each
FIND_LEVELS: dict[str, tuple[Level, ...]] = {
    "1.2.840.10008.5.1.4.1.2.1.1": tuple(Level),
    "1.2.840.10008.5.1.4.1.2.2.1": (Level.STUDY, Level.SERIES, Level.INSTANCE),
    "1.2.840.10008.5.1.4.1.2.3.1": (Level.PATIENT, Level.STUDY),  # retired
}

MOVE_LEVELS = {uid[:-1] + "2": levels for uid, levels in FIND_LEVELS.items()}
GET_LEVELS = {uid[:-1] + "3": levels for uid, levels in FIND_LEVELS.items()}

# PS3.4 K.5.1, F.7.3 and F.8.3
MODALITY_WORKLIST = "1.2.840.10008.5.1.4.31"
PERFORMED_STEP = "1.2.840.10008.3.1.2.3.3"
PERFORMED_STEP_RETRIEVE = "1.2.840.10008.3.1.2.3.4"

INSTANCE_AVAILABILITY = "1.2.840.10008.5.1.4.33"  # PS3.4 R.3.3

# PS3.4 Tables B.5-1 and GG.3-1
STORAGE: frozenset[str] = frozenset(CATEGORY_OF).union(
    str(cx.abstract_syntax) for cx in AllStoragePresentationContexts
)

_COMPOSITE = "1.2.840.10008.5.1.4.1.1."  # where the standard registers composite objects

MESSAGE_SYNTAXES = frozenset({IMPLICIT_LITTLE_ENDIAN, EXPLICIT_LITTLE_ENDIAN, EXPLICIT_BIG_ENDIAN})


_YOUNG = {uid: keyword for keyword, uid in _STORAGE_CLASSES.items() if uid not in UID_dictionary}


def name_of(sop_class_uid: str) -> str:
    """What PS3.6 Table A-1 calls a SOP class; its keyword where it is younger than pydicom's table."""
    registered = UID_dictionary.get(sop_class_uid)
    return registered[0] if registered else _YOUNG.get(sop_class_uid, sop_class_uid)


def is_stored(sop_class_uid: str, accept_unknown: bool) -> bool:
    """Whether objects of this class are taken in.

    Unknown is what pynetdicom's table does not list: private classes, retired ones, those younger than it.
    """
    if sop_class_uid in STORAGE or not accept_unknown:
        return sop_class_uid in STORAGE
    registered = UID_dictionary.get(sop_class_uid)
    return registered is None or (sop_class_uid.startswith(_COMPOSITE) and "Storage" in registered[0])
