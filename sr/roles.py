"""What a content item says: a finding of its own, or something about the item above it.

The tables hold the concepts whose meaning does not depend on the template they stand in.
"""

from collections import defaultdict
from collections.abc import Mapping
from enum import IntEnum, auto

from sr.codes import Code, Key
from sr.content_tree import Item
from sr.context_groups import concepts_of


class Role(IntEnum):
    """What a child is to its parent."""

    CONTENT = auto()  # a finding, a measurement, or a container of them
    COMPONENT = auto()  # a property or modifier that has no element of its own in FHIR
    SITE = auto()
    QUALIFIER = auto()  # laterality and the like, of the site
    METHOD = auto()
    OBSERVER = auto()
    SUBJECT = auto()
    TRACKING = auto()
    ALGORITHM = auto()
    REMARK = auto()  # comments on the parent, and identifiers that others gave it
    INFERRED = auto()  # stands for an item elsewhere, from which the parent was inferred
    OBJECT = auto()  # images, waveforms, and regions in them
    ASIDE = auto()  # no finding; `aside_reason` says why


FINDING_SITE: Key = ("SCT", "363698007")
ORGAN: Key = ("SCT", "113343008")
PROCEDURE_SITE: Key = ("SCT", "363704007")
LATERALITY: Key = ("SCT", "272741003")
TOPOGRAPHICAL_MODIFIER: Key = ("SCT", "106233006")
MEASUREMENT_METHOD: Key = ("SCT", "370129005")
TRACKING_IDENTIFIER: Key = ("DCM", "112039")
TRACKING_UID: Key = ("DCM", "112040")
ALGORITHM_FAMILY: Key = ("DCM", "111000")
ALGORITHM_NAME: Key = ("DCM", "111001")
ALGORITHM_PARAMETERS: Key = ("DCM", "111002")
ALGORITHM_VERSION: Key = ("DCM", "111003")
PERSON_OBSERVER_NAME: Key = ("DCM", "121008")
RENDERING_INTENT: Key = ("DCM", "111056")
NOT_FOR_PRESENTATION: Key = ("DCM", "111152")
IMAGE_LATERALITY: Key = ("DCM", "111027")
SUBJECT_CLASS: Key = ("DCM", "121024")
PATIENT: Key = ("DCM", "121025")
FETUS: Key = ("DCM", "121026")
COMMENT: Key = ("DCM", "121106")
IDENTIFIER: Key = ("99DIAFANA", "identifier")  # ours: system and value of a FHIR Identifier, parted by "|"
# What only a subject other than the patient has: mother, number and id of a fetus, ids of a specimen.
OTHER_SUBJECT = frozenset(
    {("DCM", "121036"), ("DCM", "121037"), ("LN", "11951-1"), ("DCM", "121039"), ("DCM", "121041")}
)

_REPORT = "it tells of the report or the procedure, not of a finding"
_OBSERVER = "it tells of the person who observed: of the Practitioner, where that one is named"
_PATIENT = "it tells of the patient, not of a finding"
_LIBRARY = "it describes the images, as ImagingStudy does"
_ALGORITHMS = "it tells which algorithms ran, not what they found"
_COURSE = "it tells of staff, equipment or stock, not of the patient"
_ROOM = "it tells of the room, not of the patient"
_NOT_PRESENTED = "the program that found it says that it is not for presentation"

# Items that are no findings wherever they stand, with all below them: by concept, the reason.
ASIDE_REASONS: Mapping[Key, str] = {
    ("DCM", "111028"): _LIBRARY,  # Image Library
    ("DCM", "126200"): _LIBRARY,  # Image Library Group
    ("DCM", "121118"): _PATIENT,  # Patient Characteristics
    ("LN", "8302-2"): _PATIENT,  # Body height
    ("LN", "3137-7"): _PATIENT,
    ("LN", "29463-7"): _PATIENT,  # Body weight
    ("LN", "3141-9"): _PATIENT,
    # PS3.16 TID 1001 to 1005 and 1204: language, observers, procedure
    **{("DCM", str(number)): _REPORT for number in (121005, 121006, 121007, *range(121009, 121024))},
    **{("DCM", str(number)): _REPORT for number in (121046, 121049, 121058, 121114)},
    **{("DCM", str(number)): _OBSERVER for number in (121009, 121010, 121011, 128774, 128775)},
    # PS3.16 TID 1020 and 1021: persons and devices that took part
    **{("DCM", str(number)): _REPORT for number in range(113870, 113877)},
    ("DCM", "113907"): _REPORT,  # Reason for Proceeding
    # PS3.16 TID 3001, 3104, 3603 and 11005: what a log has of staff, equipment and stock
    **dict.fromkeys(concepts_of(3404, 3408, 3427), _COURSE),
    ("DCM", "122222"): _ROOM,  # Procedure Environmental Characteristics
    ("DCM", "130222"): _COURSE,  # Imaging Agent Administration Consumable
    # PS3.16 TID 4015 and 4016: Summary of Detections, Summary of Analyses
    ("DCM", "111064"): _ALGORITHMS,
    ("DCM", "111065"): _ALGORITHMS,
}

_PAST = "it tells of the past, not of what was found now"
_PLANNED = "it tells what was planned, not what was done"
_ASKED = "it tells why the images were made, not what was found in them"

# PS3.16 TID 7000 and 11001
PLANS: tuple[Key, ...] = (
    ("DCM", "112345"),  # Implantation Plan
    ("DCM", "130182"),  # Planned Imaging Agent Administration Procedure Report
    ("DCM", "130226"),  # Planned Imaging Agent Administration
)

# Sections and items of PS3.16 CID 7001 and 7002 that a reader sees, and that no Observation may tell as if it
# were found now: by concept, the reason.
NOT_FOUND_NOW: Mapping[Key, str] = {
    ("DCM", "121060"): _PAST,  # History
    ("LN", "11329-0"): _PAST,
    ("DCM", "121066"): _PAST,  # Prior Procedure Descriptions
    ("LN", "55114-3"): _PAST,
    ("DCM", "121068"): _PAST,  # Previous Findings
    ("DCM", "121069"): _PAST,  # Previous Finding
    ("LN", "18834-2"): _PAST,
    **dict.fromkeys(PLANS, _PLANNED),
    ("DCM", "121062"): _ASKED,  # Request
    ("LN", "55115-0"): _ASKED,
    ("DCM", "121109"): _ASKED,  # Indications for Procedure
    ("LN", "18785-6"): _ASKED,
    ("DCM", "121110"): _ASKED,  # Patient Presentation
    ("LN", "55108-5"): _ASKED,
    ("LN", "55752-0"): _ASKED,  # Clinical Information
}

# PS3.16 CID 228: by what a value was computed
EQUATIONS = frozenset(("DCM", str(number)) for number in range(121420, 121425))

BY_CONCEPT: Mapping[Key, Role] = {
    **dict.fromkeys(ASIDE_REASONS, Role.ASIDE),
    **dict.fromkeys(OTHER_SUBJECT, Role.SUBJECT),
    # PS3.16 TID 1006 to 1010
    **{("DCM", str(number)): Role.SUBJECT for number in (121024, *range(121028, 121036))},
    FINDING_SITE: Role.SITE,
    ORGAN: Role.SITE,
    PROCEDURE_SITE: Role.SITE,
    LATERALITY: Role.QUALIFIER,
    TOPOGRAPHICAL_MODIFIER: Role.QUALIFIER,
    MEASUREMENT_METHOD: Role.METHOD,
    **dict.fromkeys(EQUATIONS, Role.METHOD),
    TRACKING_IDENTIFIER: Role.TRACKING,
    TRACKING_UID: Role.TRACKING,
    ALGORITHM_FAMILY: Role.ALGORITHM,
    ALGORITHM_NAME: Role.ALGORITHM,
    ALGORITHM_PARAMETERS: Role.ALGORITHM,
    ALGORITHM_VERSION: Role.ALGORITHM,
    PERSON_OBSERVER_NAME: Role.OBSERVER,
    # Context of a group, whichever relationship a file gives it: activity session, purpose of a region,
    # time points (PS3.16 TID 1502), which of several follicles (TID 5014)
    ("NCIt", "C67447"): Role.COMPONENT,
    ("UMLS", "C2348792"): Role.COMPONENT,
    ("DCM", "130400"): Role.COMPONENT,
    ("DCM", "125010"): Role.COMPONENT,
    **{("DCM", str(number)): Role.COMPONENT for number in (126070, 126071, 126072, 126073)},
}

_OBJECTS = frozenset({"IMAGE", "COMPOSITE", "WAVEFORM", "SCOORD", "SCOORD3D", "TCOORD"})
_MODIFYING = frozenset({"HAS CONCEPT MOD", "HAS PROPERTIES", "HAS OBS CONTEXT", "HAS ACQ CONTEXT"})

Parts = Mapping[Role, list[Item]]


def role_of(item: Item) -> Role:
    """What the item is to the one above it."""
    if item.target:
        return Role.INFERRED if item.relationship == "INFERRED FROM" else Role.OBJECT
    if _is_hidden(item):
        return Role.ASIDE
    if (role := BY_CONCEPT.get(item.key)) is not None:
        return role
    if item.value_type in _OBJECTS:
        return Role.OBJECT
    if is_remark(item, COMMENT) or is_remark(item, IDENTIFIER):
        return Role.REMARK
    is_context = item.relationship == "HAS ACQ CONTEXT" or item.value_type != "CONTAINER"
    return Role.COMPONENT if item.relationship in _MODIFYING and is_context else Role.CONTENT


def aside_reason(item: Item) -> str:
    """Why an item of role ASIDE is no finding."""
    return ASIDE_REASONS.get(item.key, _NOT_PRESENTED)


def is_remark(item: Item, concept: Key) -> bool:
    """Whether the item is a comment on its parent, or an identifier that it was given outside DICOM."""
    is_text = item.value_type == "TEXT" and isinstance(item.value, str)
    return (
        is_text and item.key == concept and (concept == IDENTIFIER or item.relationship == "HAS PROPERTIES")
    )


def _is_hidden(item: Item) -> bool:
    """Whether nobody is to be shown it: what only further processing by the same program is meant for."""
    for child in item.children:
        is_intent = child.key == RENDERING_INTENT
        if is_intent and isinstance(child.value, Code) and child.value.key == NOT_FOR_PRESENTATION:
            return True
    return False


def parts_of(item: Item) -> Parts:
    """The children of an item by their roles; a role that no child has is an empty list."""
    parts: defaultdict[Role, list[Item]] = defaultdict(list)
    for child in item.children:
        parts[role_of(child)].append(child)
    return parts
