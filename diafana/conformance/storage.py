"""Section 5.2.5: the Storage Service."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydicom.datadict import keyword_for_tag
from pydicom.sr._concepts_dict import concepts
from pydicom.uid import UID

from diafana.conformance.markdown import paragraph, table, yes
from diafana.conformance.names import names
from diafana.conformance.sections import link
from diafana.conformance.template import Content
from pacs.coercion import COERCED, LEFT_OUT, WRONG
from pacs.dataset.json_encoder import UNICODE
from pacs.dimse.proposal import MOST_CONTEXTS, PROPOSED_SYNTAXES
from pacs.rejection_note import REJECTIONS
from pacs.worklist_patient import OF_THE_FORMER

# By which what is stored is had
ACCESS = f"{link('5.2.7', 'C-FIND, C-MOVE, C-GET')}, {link('5.3', 'DICOM web services')}"

# Of the codes of PS3.16 Annex D
_CONCEPTS: Any = concepts["DCM"]
_MEANINGS = {code: told[0] for names in _CONCEPTS.values() for code, told in names.items()}


def _sending() -> Iterator[str]:
    yield paragraph(
        "Each SOP class of what is sent is proposed in each stored transfer syntax, in those that are "
        f"preferred with the system (`--transfer-syntaxes`), and in {names(PROPOSED_SYNTAXES)}. An "
        f"association proposes {MOST_CONTEXTS} contexts at most; more are asked for one after the other. "
        "What is refused by its SOP class or transfer syntax is noted as failed. What only refers to its "
        "pixels (JPIP) is sent as it is stored; how long they can be had is up to whoever made it."
    )


def _transcoding() -> Iterator[str]:
    yield from table(
        ("in this order", "sent as"),
        (
            ("a syntax that is preferred with the system, is taken, and loses nothing", "that"),
            ("the stored one is taken", "as it is stored"),
            *((f"{UID(syntax).name} is taken", "that, decompressed") for syntax in PROPOSED_SYNTAXES),
        ),
    )


def _coercion() -> Iterator[str]:
    yield paragraph(
        "Coercion, of what a known system sends, where a rule says so. What is deflated, in big endian or "
        "out of order is not coerced. Original Attributes Sequence has the earlier values, the time, our "
        f"AE title, that of the sender, and {LEFT_OUT}, or {WRONG} for the patient of the worklist. What is "
        f"answered: {link('7.3.2.5.2', 'status codes')}."
    )
    yield from table(
        ("Attribute", "SOP Class", "Type of Change", "New Value", "Condition", "Comment"),
        (
            (name, "ALL", kind, value, "CONFIGURATION", when)
            for name, kind, value, when in (
                *((name, kind, f"by `{_option(rule)}`", when) for name, rule, kind, when in COERCED),
                *_of_another_patient(),
            )
        ),
    )


def _option(rule: str) -> str:
    return f"--{rule.replace('_', '-')}"


def _of_another_patient() -> Iterator[tuple[str, str, str, str]]:
    """What goes with the patient of the worklist."""
    told = f"by `{_option('patient_from_worklist')}`, as above, and"
    former = ", ".join(keyword_for_tag(int(key, 16)) for key in OF_THE_FORMER)
    yield former, "REMOVED", "", f"{told} the object names another patient, by ID or issuer"
    yield (
        "SpecificCharacterSet, with the text in it",
        "MODIFIED",
        f"`{UNICODE}`",
        f"{told} the character set of the object cannot hold the patient",
    )


def _storing() -> Iterator[str]:
    yield from _level()
    yield from _coercion()
    yield from _treatment()
    yield from _rejection()
    yield paragraph(
        "Images are stored AS_IS: in the transfer syntax in which they came. There is no limit on "
        "displaying: what cannot be drawn is given as it is."
    )


def _level() -> Iterator[str]:
    yield from table(
        ("Level of conformance", "value"),
        (
            ("Level of Storage Support (PS3.4 B.4.1.1)", "2 (Full): all elements are kept"),
            (
                "Level of Digital Signature Support (PS3.4 B.4.1.4)",
                "3: kept as they are, and not checked; 1 for objects that a rule coerces",
            ),
            ("Optional Attributes that are discarded", "none"),
            (
                "Additional SOP Classes (PS3.4 B.4.1.2)",
                "accepted by their UID, unless `accept_unknown_sop_classes` says no; SOP Class Common "
                "Extended Negotiation is passed over",
            ),
            (
                "Lossy Image Compression (0028,2110)",
                "kept as it came: nothing is stored compressed anew, objects are never given with more "
                "loss than they came with, and what is decompressed says that it was lossy",
            ),
            (
                "Access to what is stored",
                f"{ACCESS}, at once",
            ),
            (
                "Duration of storage",
                "without limit: until it is deleted over the web, rejected by a note, or replaced where "
                "`--duplicates` says so; then its file is kept for `recycle_days`",
            ),
        ),
    )


def _treatment() -> Iterator[str]:
    yield paragraph("What is done with an object:")
    yield from table(
        ("Condition", "System Behavior"),
        (
            ("it cannot be read to its end, or lacks a UID", "refused"),
            ("the same is kept already", "success; it is not kept twice, unless the first was lost"),
            (
                "its SOP Instance UID is taken by other content",
                "quarantine, refused; the first stays. By a rule for the sender (`--duplicates`): the same, "
                "answered with a warning; or it takes the place of the first, which can be restored",
            ),
            ("its SOP Instance UID is taken by another's image", "quarantine, refused; whatever the rule"),
            ("its study belongs to another patient", "quarantine, refused"),
            (
                "its instance was rejected, or deleted before it came",
                "stored, and deleted in the same transaction, where the rejection lasts",
            ),
            ("it is of a category of non-patient instances", "stored beside the studies"),
            ("otherwise", "stored as it came, but for coercion; found by queries at once"),
        ),
    )


def _rejection() -> Iterator[str]:
    yield paragraph(
        "Rejection notes (key object selections, PS3.16 CID 7010) are heeded, unless the setting `delete` "
        "says no: what they name is found and given no more. Those for quality are not heeded where "
        "`hide_rejected_for_quality` says no."
    )
    yield from table(
        ("Document title", "what it names stays out when it comes again"),
        ((f'({code}, DCM, "{_MEANINGS[code]}")', yes(lasts)) for code, lasts in REJECTIONS.items()),
    )


SECTIONS: Mapping[str, Content] = {
    "5.2.5.1": _sending,
    "5.2.5.1.1": _transcoding,
    "5.2.5.2": _storing,
}
