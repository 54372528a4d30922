"""What we ask of other systems, and tell them: services of which we are the SCU, or the SCP that calls."""

from dataclasses import dataclass

from pacs.dimse.commitment_data import PUSH_MODEL
from pacs.dimse.heard import (
    AVAILABILITY,
    COMMITMENT_REPORT,
    COMMITMENT_REQUEST,
    ECHO,
    FIND,
    RETRIEVE,
    STEP_CREATED,
    STEP_SET,
    STORE,
    Heard,
)
from pacs.dimse.remote import PATIENT_FIND, STUDY_FIND, STUDY_GET, STUDY_MOVE
from pacs.dimse.sop_classes import INSTANCE_AVAILABILITY, PERFORMED_STEP, VERIFICATION


@dataclass(frozen=True)
class Use:
    """A service that is used.

    name: as PS3.7 calls its messages.  section: of PS3.4.
    sop_classes: in which it is asked for; empty for all storage classes.
    heard: what is done about its answers.
    activity: what makes us ask.
    is_provider: whether we are the SCP, although we ask.
    """

    name: str
    section: str
    sop_classes: tuple[str, ...]
    heard: Heard
    activity: str
    is_provider: bool = False


_GOT = "`diafana remote get`, or the same over HTTP"

USES: tuple[Use, ...] = (
    Use("C-ECHO", "A.4", (VERIFICATION,), ECHO, "`diafana peer echo`, or the same over HTTP"),
    Use(
        "C-STORE",
        "B.5",
        (),
        STORE,
        "what is asked to be sent over the web, rules of `diafana forward`, C-MOVE and C-GET of others",
    ),
    Use(
        "C-FIND",
        "C.4.1",
        (STUDY_FIND, PATIENT_FIND),
        FIND,
        f"`diafana remote find`; {_GOT}",
    ),
    Use("C-MOVE", "C.4.2", (STUDY_MOVE,), RETRIEVE, f"{_GOT}, where C-GET is not taken"),
    Use("C-GET", "C.4.3", (STUDY_GET,), RETRIEVE, _GOT),
    Use("N-CREATE", "F.7.2.1", (PERFORMED_STEP,), STEP_CREATED, "a performed step was made (`mpps_forward`)"),
    Use("N-SET", "F.7.2.2", (PERFORMED_STEP,), STEP_SET, "a performed step was changed (`mpps_forward`)"),
    Use(
        "N-CREATE",
        "R.3.2",
        (INSTANCE_AVAILABILITY,),
        AVAILABILITY,
        "instances of a study came, and it is at rest; or some were deleted or rejected (`--notify`)",
    ),
    Use(
        "N-ACTION",
        "J.3.2",
        (PUSH_MODEL,),
        COMMITMENT_REQUEST,
        "all was sent to a system that is to commit to it (`--commit`)",
    ),
    Use(
        "N-EVENT-REPORT",
        "J.3.3",
        (PUSH_MODEL,),
        COMMITMENT_REPORT,
        "what a peer asked us to commit to was looked at",
        is_provider=True,
    ),
)
