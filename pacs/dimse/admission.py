"""Who may ask for what: by the AE title that calls and the one that is called."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import structlog

from pacs.dimse.negotiation import Rejected
from pacs.dimse.rejection import CALLED_NOT_RECOGNIZED, CALLING_NOT_RECOGNIZED, CONGESTED
from pacs.errors import ArchiveError
from pacs.model import EVERYTHING, Peer, Permission

_TOLD = 1000  # of those who lacked a permission, how many are remembered so that the log has each once

Permissions = frozenset[Permission]

log = structlog.get_logger()


@dataclass(frozen=True)
class Rules:
    """What holds whoever asks.

    unknown: what systems may do that are not known; with nothing they are rejected.
    called: what may be asked of our AE titles, by title.
    called_otherwise: what may be asked where we are called by any other; with nothing that is rejected.
    """

    unknown: Permissions = EVERYTHING
    called: Mapping[str, Permissions] = field(default_factory=dict)
    called_otherwise: Permissions = EVERYTHING


@dataclass(frozen=True)
class Admission:
    """What a system may do in an association.

    peer: what is known of it.
    advice: what to do so that it may do more, for the log.
    """

    may: Permissions = EVERYTHING
    peer: Peer | None = None
    advice: str = ""

    @property
    def transfer_syntaxes(self) -> tuple[str, ...]:
        """The preferred ones."""
        return self.peer.transfer_syntaxes if self.peer else ()

    def may_move_to(self, ae_title: str) -> bool:
        """Whether it may have something sent to this known system."""
        return not self.peer or not self.peer.move_to or ae_title in self.peer.move_to


class Gate:
    """Decides who may do what. Safe for threads."""

    def __init__(self, rules: Rules, find: Callable[[str], Peer | None]) -> None:
        """find: the known system of an AE title."""
        self._rules = rules
        self._find = find

    def admit(self, calling: str, called: str) -> Admission:
        """What a system may do that calls us by an AE title. Raises Rejected."""
        rules = self._rules
        here = rules.called.get(called, rules.called_otherwise)
        if not here:
            raise Rejected(f"the called AE title {called!r} is none of ours", CALLED_NOT_RECOGNIZED)
        try:
            peer = self._find(calling)
        except ArchiveError as error:
            raise Rejected(f"who may do what cannot be read: {error}", CONGESTED) from error
        may = peer.may if peer else rules.unknown
        if peer is None and not may:
            advice = f"`diafana peer add {calling} HOST PORT` makes it known"
            message = f"the calling AE title {calling!r} is not known here; {advice}"
            raise Rejected(message, CALLING_NOT_RECOGNIZED)
        return Admission(may & here, peer, _advice(calling, called, peer, may - here))


def _advice(calling: str, called: str, peer: Peer | None, only_elsewhere: Permissions) -> str:
    if only_elsewhere:
        return f"nobody may that who calls us {called}; it has to call us by another AE title"
    if peer is None:
        return f"`diafana peer add {calling} HOST PORT` makes it known, `--may` says what it may"
    return f"`diafana peer change {calling} --may ...` permits it"


@lru_cache(_TOLD)
def tell_refused(calling: str, address: str, permission: Permission, advice: str) -> None:
    """Log that a system wanted what it may not; once, for some ask again every second."""
    log.warning("not permitted", calling=calling, peer=address, wanted=permission.value, advice=advice)
