"""Section 5.2.7: the Query/Retrieve Service Class."""

from collections.abc import Iterator, Mapping

from pydicom.uid import UID

from diafana.conformance.markdown import listed, paragraph, size, table, yes
from diafana.conformance.names import LEVEL_NAMES, names, path, tag
from diafana.conformance.sections import link
from diafana.conformance.template import Content
from pacs.attributes import ATTRIBUTES
from pacs.dimse.availability_courier import ONLINE
from pacs.dimse.c_find import EXTENSIONS, Find
from pacs.dimse.offered import RELATIONAL
from pacs.dimse.remote import RETURNED
from pacs.dimse.retrieval import MOST_ANSWERS, TAKEN
from pacs.dimse.sop_classes import FIND_LEVELS, GET_LEVELS, MOVE_LEVELS
from pacs.model import Level
from pacs.selection import MOST_INSTANCES


def _asking(*levels: Level) -> Content:
    def content() -> Iterator[str]:
        yield paragraph(
            "Keys are what is asked for by `diafana remote`; beside them these are asked for. "
            f"{MOST_ANSWERS:,} answers are taken at most."
        )
        yield from table(
            ("Query/Retrieve Level", "Attributes"),
            ((LEVEL_NAMES[level], listed(RETURNED[level])) for level in levels),
        )

    return content


def _moving() -> Iterator[str]:
    yield paragraph(
        "Where C-GET is not taken, or by `--move`: to our AE title, which the other archive must know. "
        "Study, series and instances are asked for a series at a time; what is here already is not asked "
        "for."
    )


def _getting() -> Iterator[str]:
    yield paragraph(
        "The storage classes are proposed as those of which we are the SCP, in as many of these transfer "
        f"syntaxes as find room: {names(TAKEN)}. An object of another study than the one asked for is "
        "refused."
    )


def _finding() -> Iterator[str]:
    yield paragraph(
        f"An identifier has {size(Find.most_bytes)} at most. Keys of levels below the asked one are passed "
        "over. Levels:"
    )
    yield from _levels(FIND_LEVELS)
    yield paragraph("Extended negotiation (PS3.4 C.5.1.1):")
    yield from table(
        ("byte", "option", "supported"),
        (
            (str(byte), name, yes(is_supported))
            for byte, (name, is_supported) in enumerate(EXTENSIONS.items(), 1)
        ),
    )
    yield paragraph(
        "Keys. Those above the level may be left out. What is asked for is answered, and beside it, unasked, "
        "Retrieve AE Title, the AE title that we were called by, and Instance Availability, "
        f"{ONLINE}. QIDO-RS has the same keys, and answers by default what is marked."
    )
    yield from table(
        ("Attribute", "Tag", "Level", "VR", "matching", "QIDO-RS: by default"),
        ((path(a), tag(a), LEVEL_NAMES[a.level], a.vr, a.matching.value, yes(a.default)) for a in ATTRIBUTES),
    )


def _patient_root() -> Iterator[str]:
    yield paragraph(
        f"As {link('5.2.7.5', 'Study Root')}, from the level PATIENT on. Patient/Study Only (retired) ends "
        "at STUDY."
    )


def _moving_to_others() -> Iterator[str]:
    yield paragraph(
        "Destinations are known systems, and of them those that the peer may move to. Of one request "
        f"{MOST_INSTANCES:,} instances are sent at most. The unique key of the level is needed, as a list "
        f"of UIDs; keys above it may be left out (extended negotiation: {RELATIONAL.hex()}). Objects are "
        f"sent as {link('5.2.5.1', 'by the Storage SCU')}, and after each the response tells how far it "
        "is: a warning of C-STORE counts as one, any other status but success as a failure. Levels:"
    )
    yield from _levels(MOVE_LEVELS)


def _moving_patients() -> Iterator[str]:
    yield paragraph(f"As {link('5.2.7.7', 'Study Root')}, from the level PATIENT on.")


def _giving() -> Iterator[str]:
    yield paragraph(
        "The peer proposes to be the SCP of the storage classes, in the same association. All else is as "
        f"{link('5.2.7.7', 'C-MOVE')} has it. Levels:"
    )
    yield from _levels(GET_LEVELS)


def _levels(levels: Mapping[str, tuple[Level, ...]]) -> Iterator[str]:
    return table(
        ("SOP Class", "Levels"),
        ((UID(uid).name, listed(LEVEL_NAMES[level] for level in some)) for uid, some in levels.items()),
    )


SECTIONS: Mapping[str, Content] = {
    "5.2.7.1": _asking(Level.STUDY, Level.SERIES, Level.INSTANCE),
    "5.2.7.2": _asking(Level.PATIENT),
    "5.2.7.3": _moving,
    "5.2.7.5": _finding,
    "5.2.7.6": _patient_root,
    "5.2.7.7": _moving_to_others,
    "5.2.7.8": _moving_patients,
    "5.2.7.9": _getting,
    "5.2.7.10": _giving,
}
