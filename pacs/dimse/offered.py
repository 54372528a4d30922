"""The services that the archive offers to peers."""

from collections.abc import Callable
from functools import partial

from pacs.dimse.c_echo import Echo
from pacs.dimse.c_find import OPTIONS, Find
from pacs.dimse.c_get import Get
from pacs.dimse.c_move import Move
from pacs.dimse.c_store import Store
from pacs.dimse.command import (
    C_ECHO_RQ,
    C_FIND_RQ,
    C_GET_RQ,
    C_MOVE_RQ,
    C_STORE_RQ,
    N_ACTION_RQ,
    N_EVENT_REPORT_RQ,
)
from pacs.dimse.commitment_data import PUSH_MODEL
from pacs.dimse.n_action import Action, Desk
from pacs.dimse.n_event_report import EventReport
from pacs.dimse.offer import Offer
from pacs.dimse.sop_classes import FIND_LEVELS, GET_LEVELS, MOVE_LEVELS, VERIFICATION
from pacs.index import Index

RELATIONAL = b"\x01"  # PS3.4 Table C.5-3: keys above the level may be left out


def offered(index: Index, ae_title: str, desk: Desk, ring: Callable[[], None]) -> tuple[Offer, ...]:
    """All of them.

    ae_title: ours, by which we call others.  desk: where storage commitment is asked for.
    ring: wakes who sends, when something is to be sent again.
    """
    move = partial(Move, peers=index.peers, ae_title=ae_title)
    ask, report = (
        partial(Action, desk=desk),
        partial(EventReport, commitments=index.sent_commitments, ring=ring),
    )
    return (
        Offer("C-ECHO", "A", C_ECHO_RQ, (VERIFICATION,), Echo),
        Offer("C-STORE", "B, GG", C_STORE_RQ, (), Store),
        Offer("C-FIND", "C.4.1", C_FIND_RQ, tuple(FIND_LEVELS), Find, OPTIONS),
        Offer("C-MOVE", "C.4.2", C_MOVE_RQ, tuple(MOVE_LEVELS), move, RELATIONAL),
        Offer("C-GET", "C.4.3", C_GET_RQ, tuple(GET_LEVELS), Get, RELATIONAL),
        Offer("N-ACTION", "J.3.2", N_ACTION_RQ, (PUSH_MODEL,), ask),
        Offer("N-EVENT-REPORT", "J.3.3", N_EVENT_REPORT_RQ, (PUSH_MODEL,), report, is_from_provider=True),
    )
