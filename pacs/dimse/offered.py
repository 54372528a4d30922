"""The services that the archive offers to peers."""

import ssl
from collections.abc import Callable
from functools import partial

from pacs.dimse.answers import (
    C_ECHO,
    C_FIND,
    C_FIND_WORKLIST,
    C_GET,
    C_MOVE,
    C_STORE,
    N_ACTION,
    N_CREATE,
    N_EVENT_REPORT,
    N_GET,
    N_SET,
)
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
    N_CREATE_RQ,
    N_EVENT_REPORT_RQ,
    N_GET_RQ,
    N_SET_RQ,
)
from pacs.dimse.commitment_data import PUSH_MODEL
from pacs.dimse.find_steps import FindSteps
from pacs.dimse.n_action import Action, Desk
from pacs.dimse.n_event_report import EventReport
from pacs.dimse.offer import Offer
from pacs.dimse.performed_steps import CreateStep, GetStep, SetStep
from pacs.dimse.sop_classes import (
    FIND_LEVELS,
    GET_LEVELS,
    MODALITY_WORKLIST,
    MOVE_LEVELS,
    PERFORMED_STEP,
    PERFORMED_STEP_RETRIEVE,
    VERIFICATION,
)
from pacs.index import Index
from pacs.model import Permission
from pacs.procedure_steps.performed import PerformedSteps
from pacs.procedure_steps.scheduled import ScheduledSteps

RELATIONAL = b"\x01"  # PS3.4 Table C.5-3: keys above the level may be left out


def offered(
    index: Index,
    ae_title: str,
    desk: Desk,
    ring: Callable[[], None],
    scheduled: ScheduledSteps,
    performed: PerformedSteps,
    tls: ssl.SSLContext | None = None,
) -> tuple[Offer, ...]:
    """All of them.

    ae_title: ours, by which we call others.  desk: where storage commitment is asked for.
    ring: wakes who sends, when something is to be sent again.
    tls: how to call those that want TLS.
    """
    move = partial(Move, peers=index.peers, ae_title=ae_title, tls=tls)
    ask = partial(Action, desk=desk)
    report = partial(EventReport, commitments=index.sent_commitments, ring=ring)
    store, query, retrieve = Permission.STORE, Permission.QUERY, Permission.RETRIEVE
    return (
        Offer("C-ECHO", "A", C_ECHO_RQ, (VERIFICATION,), Echo, C_ECHO),
        Offer("C-STORE", "B, GG", C_STORE_RQ, (), Store, C_STORE, needs=store),
        Offer("C-FIND", "C.4.1", C_FIND_RQ, tuple(FIND_LEVELS), Find, C_FIND, OPTIONS, needs=query),
        Offer("C-MOVE", "C.4.2", C_MOVE_RQ, tuple(MOVE_LEVELS), move, C_MOVE, RELATIONAL, needs=retrieve),
        Offer("C-GET", "C.4.3", C_GET_RQ, tuple(GET_LEVELS), Get, C_GET, RELATIONAL, needs=retrieve),
        Offer("N-ACTION", "J.3.2", N_ACTION_RQ, (PUSH_MODEL,), ask, N_ACTION, needs=store),
        Offer(
            "N-EVENT-REPORT",
            "J.3.3",
            N_EVENT_REPORT_RQ,
            (PUSH_MODEL,),
            report,
            N_EVENT_REPORT,
            is_from_provider=True,
        ),
        *_of_procedure_steps(scheduled, performed),
    )


def _of_procedure_steps(scheduled: ScheduledSteps, performed: PerformedSteps) -> tuple[Offer, ...]:
    """What modalities are to do and did."""
    create, set_, get = (partial(begin, steps=performed) for begin in (CreateStep, SetStep, GetStep))
    find = partial(FindSteps, steps=scheduled)
    store, query = Permission.STORE, Permission.QUERY
    return (
        Offer("C-FIND", "K.4.1", C_FIND_RQ, (MODALITY_WORKLIST,), find, C_FIND_WORKLIST, needs=query),
        Offer("N-CREATE", "F.7.2.1", N_CREATE_RQ, (PERFORMED_STEP,), create, N_CREATE, needs=store),
        Offer("N-SET", "F.7.2.2", N_SET_RQ, (PERFORMED_STEP,), set_, N_SET, needs=store),
        Offer("N-GET", "F.8.2.1", N_GET_RQ, (PERFORMED_STEP_RETRIEVE,), get, N_GET, needs=query),
    )
