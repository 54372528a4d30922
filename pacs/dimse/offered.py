"""The services that the archive offers to peers."""

import ssl
from functools import partial

from pacs.dimse.c_echo import Echo
from pacs.dimse.c_find import OPTIONS, Find
from pacs.dimse.c_get import Get
from pacs.dimse.c_move import Move
from pacs.dimse.c_store import Store
from pacs.dimse.command import C_ECHO_RQ, C_FIND_RQ, C_GET_RQ, C_MOVE_RQ, C_STORE_RQ
from pacs.dimse.offer import Offer
from pacs.dimse.sop_classes import FIND_LEVELS, GET_LEVELS, MOVE_LEVELS, VERIFICATION
from pacs.index import Index
from pacs.model import Permission

RELATIONAL = b"\x01"  # PS3.4 Table C.5-3: keys above the level may be left out


def offered(index: Index, ae_title: str, tls: ssl.SSLContext | None = None) -> tuple[Offer, ...]:
    """All of them.  ae_title: ours, by which we call others.  tls: how to call those that want TLS."""
    move = partial(Move, peers=index.peers, ae_title=ae_title, tls=tls)
    return (
        Offer("C-ECHO", "A", C_ECHO_RQ, (VERIFICATION,), Echo),
        Offer("C-STORE", "B, GG", C_STORE_RQ, (), Store, needs=Permission.STORE),
        Offer("C-FIND", "C.4.1", C_FIND_RQ, tuple(FIND_LEVELS), Find, OPTIONS, Permission.QUERY),
        Offer("C-MOVE", "C.4.2", C_MOVE_RQ, tuple(MOVE_LEVELS), move, RELATIONAL, Permission.RETRIEVE),
        Offer("C-GET", "C.4.3", C_GET_RQ, tuple(GET_LEVELS), Get, RELATIONAL, Permission.RETRIEVE),
    )
