"""Section 5.2: the DIMSE services but for queries, with the attributes of each."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydicom.sr._concepts_dict import concepts
from pydicom.uid import UID

from diafana.conformance.markdown import paragraph, size, table, yes
from diafana.conformance.names import names, path, tag
from diafana.conformance.sections import link
from diafana.conformance.template import Content
from pacs.coercion import COERCED, LEFT_OUT, WRONG
from pacs.commitment import FailureReason
from pacs.dimse.availability_courier import ONLINE, UNAVAILABLE
from pacs.dimse.commitment_data import MOST_BYTES, MOST_REFERENCES
from pacs.dimse.commitment_user import HERE, WAITED_FOR
from pacs.dimse.message_courier import MOST_REFUSALS, WEEK
from pacs.dimse.performed_steps import CreateStep
from pacs.dimse.proposal import MOST_CONTEXTS
from pacs.dimse.rounds import MOST_ATTEMPTS, PAUSES
from pacs.dimse.sender import FALLBACKS
from pacs.index.commitment_requests import MOST_WAITING
from pacs.procedure_steps.performed_attributes import TABLE as PERFORMED
from pacs.procedure_steps.scheduled_attributes import TABLE as SCHEDULED
from pacs.rejection_note import REJECTIONS

_DAY = 86_400.0  # seconds

# Days in which what failed is tried again
DAYS = round(sum(PAUSES[min(attempt, len(PAUSES) - 1)] for attempt in range(MOST_ATTEMPTS)) / _DAY)

# Of the codes of PS3.16 Annex D
_CONCEPTS: Any = concepts["DCM"]
_MEANINGS = {code: told[0] for names in _CONCEPTS.values() for code, told in names.items()}


def _worklist() -> Iterator[str]:
    yield paragraph(
        "All keys are matched within the one item of Scheduled Procedure Step Sequence that a step has. "
        "What is performed is passed over, unless the status is a key. Ranges of a date and a time "
        "together are one range. Of a sequence that is a key all items are answered. What is of return "
        "key type 2 is answered without a value where there is none; what is of type 3, named here or "
        "not, when it is asked for."
    )
    yield from table(
        ("Attribute", "Tag", "VR", "matching key type", "matching", "return key type"),
        ((path(row), tag(row), row.vr, row.key_type, row.matching.value, row.returned) for row in SCHEDULED),
    )
    yield paragraph(
        f"Steps come from HL7 v2 ({link('A.D.2', 'annex')}) and over the web ({link('5.3.7', 'services')})."
    )


# How messages are told that wait for one another
_IN_ITS_TURN = (
    "A message waits for the one before it. Where a system does not answer it is tried again for "
    f"{WEEK / _DAY:.0f} days; where it answers that it cannot for now, or does not take the SOP class, "
    f"{MOST_REFUSALS} times in all."
)


def _steps_told() -> Iterator[str]:
    yield paragraph(
        "The systems of the setting `mpps_forward` are told what modalities told us, in that order: the "
        "attributes as they came. " + _IN_ITS_TURN
    )


def _steps_taken() -> Iterator[str]:
    yield paragraph(
        "A step that is not named is given a UID. What it was not created with cannot be set, and after "
        "its end nothing can. It brings the scheduled steps that it names to STARTED, then COMPLETED or "
        f"DISCONTINUED. A data set has {size(CreateStep.most_bytes)} at most. N-GET is answered, too "
        "(PS3.4 F.8.2); its attributes are those that are set."
    )
    yield from table(
        ("Attribute", "Tag", "N-CREATE", "N-SET", "final state"),
        ((path(row), tag(row), row.create, row.change, row.final or "-") for row in PERFORMED),
    )


def _sending() -> Iterator[str]:
    yield paragraph(
        "Each SOP class of what is sent is proposed in each stored transfer syntax, in those that are "
        f"preferred with the system (`--transfer-syntaxes`), and in {names(FALLBACKS)}. An association "
        f"proposes {MOST_CONTEXTS} contexts at most; more are asked for one after the other. What is refused "
        "by its SOP class or transfer syntax is noted as failed."
    )


def _transcoding() -> Iterator[str]:
    yield from table(
        ("in this order", "sent as"),
        (
            ("a syntax that is preferred with the system, is taken, and loses nothing", "that"),
            ("the stored one is taken", "as it is stored"),
            *((f"{UID(syntax).name} is taken", "that, decompressed") for syntax in FALLBACKS),
        ),
    )


def _coercion() -> Iterator[str]:
    yield paragraph(
        "Coercion, of what a known system sends, where a rule says so. What is deflated, in big endian or "
        "out of order is not coerced. Original Attributes Sequence has the earlier values, the time, our "
        f"AE title, that of the sender, and {LEFT_OUT}, or {WRONG} for the patient of the worklist. The "
        "answer is success all the same."
    )
    rows = [(name, rule.replace("_", "-"), kind, when) for name, rule, kind, when in COERCED]
    yield from table(
        ("Attribute", "SOP Class", "Type of Change", "New Value", "Condition", "Comment"),
        (
            (name, "ALL", kind, f"that of `--{rule}`", "CONFIGURATION", when)
            for name, rule, kind, when in rows
        ),
    )


def _storing() -> Iterator[str]:
    yield from table(
        ("Level of conformance", "value"),
        (
            ("Level of Storage Support (PS3.4 B.4.1.1)", "2 (Full): all elements are kept"),
            ("Level of Digital Signature Support (PS3.4 B.4.1.4)", "3: kept as they are, and not checked"),
        ),
    )
    yield from _coercion()
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
            ("otherwise", "stored as it came, found by queries at once"),
        ),
    )
    yield paragraph(
        "Rejection notes (key object selections, PS3.16 CID 7010) are heeded, unless the setting `delete` "
        "says no:"
    )
    yield from table(
        ("Document title", "what it names stays out when it comes again"),
        ((f'({code}, DCM, "{_MEANINGS[code]}")', yes(lasts)) for code, lasts in REJECTIONS.items()),
    )
    yield paragraph(
        "Images are stored AS_IS: in the transfer syntax in which they came. There is no limit on "
        "displaying: what cannot be drawn is given as it is."
    )


def _committing_user() -> Iterator[str]:
    yield paragraph(
        "A system that was made known with `--commit` is asked to commit to what was sent to it, once all "
        f"of it was. Its report is taken over the same association for {HERE:.0f} seconds, then over one "
        "that it asks for, where it may be the SCP (PS3.7 D.3.3.4). It has to bear the AE title that was "
        "asked."
    )
    yield from table(
        ("Failure", "Behavior"),
        (
            ("the request is not taken", f"it is asked again, for {DAYS} days"),
            (
                f"no report within {WAITED_FOR / _DAY:.0f} day",
                "what it should commit to is sent and asked for once more",
            ),
            (
                "the report names failures",
                "they are sent and asked for once more; then they are failed, with the reason",
            ),
        ),
    )


def _committing_provider() -> Iterator[str]:
    yield paragraph(
        f"A request names {MOST_REFERENCES:,} instances in {size(MOST_BYTES)} at most; {MOST_WAITING:,} of "
        "one AE title wait at most. It is answered once it is noted durably. Then each instance is read "
        "back and compared, and the result is told over the association of the request while that is "
        "open, whichever roles were negotiated. Otherwise we ask the system of the calling AE title for "
        "an association, under the AE title by which it called us, and propose to be the SCP; the report "
        f"is sent also where the role is not confirmed. It is tried for {DAYS} days; where no such system "
        "is known, it waits until one is. The same request once more is looked at and told once more."
    )
    yield from table(
        ("Failure Reason", "condition"),
        ((f"{reason:04X}", reason.name.lower().replace("_", " ")) for reason in FailureReason),
    )


def _notifying() -> Iterator[str]:
    yield paragraph(
        "A system that was made known with `--notify` is told once a study has come to rest "
        f"(`rest_seconds`): what came since the last time is {ONLINE}, what was deleted or rejected is "
        f"{UNAVAILABLE}. What came before it was to be told is not. Retrieve AE Title is ours; no other "
        "optional attribute is sent. Referenced Performed Procedure Step Sequence has the step that names "
        "the series, else the one that is at work in the study, if it is the only one; instances of several "
        "steps are told by several notifications. " + _IN_ITS_TURN
    )


SECTIONS: Mapping[str, Content] = {
    "5.2.1.2": _worklist,
    "5.2.2.1": _steps_told,
    "5.2.2.2": _steps_taken,
    "5.2.4.1": _notifying,
    "5.2.5.1": _sending,
    "5.2.5.1.1": _transcoding,
    "5.2.5.2": _storing,
    "5.2.6.1": _committing_user,
    "5.2.6.2": _committing_provider,
}
