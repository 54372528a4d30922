"""Section 5.2: the DIMSE services but for storage and queries, with the attributes of each."""

from collections.abc import Iterator, Mapping

from diafana.conformance.markdown import paragraph, size, table
from diafana.conformance.names import path, tag
from diafana.conformance.sections import link
from diafana.conformance.storage import ACCESS
from diafana.conformance.template import Content
from pacs.commitment import FailureReason
from pacs.dimse.availability_courier import ONLINE, UNAVAILABLE
from pacs.dimse.commitment_data import MOST_BYTES, MOST_REFERENCES
from pacs.dimse.commitment_user import HERE, WAITED_FOR
from pacs.dimse.message_courier import MOST_REFUSALS, WEEK
from pacs.dimse.performed_steps import CreateStep
from pacs.dimse.rounds import MOST_ATTEMPTS, PAUSES
from pacs.index.commitment_requests import MOST_WAITING
from pacs.procedure_steps.performed_attributes import TABLE as PERFORMED
from pacs.procedure_steps.scheduled_attributes import TABLE as SCHEDULED

_DAY = 86_400.0  # seconds

# Days in which what failed is tried again
DAYS = round(sum(PAUSES[min(attempt, len(PAUSES) - 1)] for attempt in range(MOST_ATTEMPTS)) / _DAY)


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


def _committing_user() -> Iterator[str]:
    yield paragraph(
        "A system that was made known with `--commit` is asked to commit to what was sent to it, once all "
        f"of it was. Its report is taken over the same association for {HERE:.0f} seconds, then over one "
        "that it asks for, where it may be the SCP (PS3.7 D.3.3.4). It has to bear the AE title that was "
        "asked. What it should commit to may be of any storage class, and was sent by C-STORE. A Transaction "
        f"UID holds for {WAITED_FOR / _DAY:.0f} day. Storage Media File-Set ID and UID are not sent. Where "
        "all is committed nothing is deleted here."
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
        "is known, it waits until one is. The same request once more is looked at and told once more. "
        "Storage Media File-Set ID and UID are passed over, and not sent; nor is Retrieve AE Title."
    )
    yield from table(
        ("Level of commitment", "value"),
        (
            ("Persistence", "file, folder and index are on the device before C-STORE is answered"),
            ("Deletion", f"as {link('5.2.5.2', 'duration of storage')} has it; never by itself"),
            ("Capacity", "that of the device; where it is full nothing is taken"),
            ("Volatility", "none: a commitment has no end of its own"),
            ("Retrieval", ACCESS),
            ("Latency", f"none: all is {ONLINE}"),
        ),
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
    "5.2.6.1": _committing_user,
    "5.2.6.2": _committing_provider,
}
