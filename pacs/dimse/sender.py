"""Sending stored objects: the SCU of the Storage Service (PS3.4 Annex B)."""

import ssl
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from pacs.archive import Archive
from pacs.dataset.transfer_syntax import EXPLICIT_LITTLE_ENDIAN
from pacs.dimse.command import C_STORE_RQ, Command
from pacs.dimse.dialogue import Dialogue
from pacs.dimse.negotiation import Context
from pacs.dimse.pace import Pace
from pacs.dimse.proposal import MOST_CONTEXTS, PROPOSED_SYNTAXES
from pacs.dimse.status import SOP_CLASS_NOT_SUPPORTED, TRANSFER_SYNTAX_NOT_SUPPORTED, status_of
from pacs.errors import ArchiveError
from pacs.model import Instance, Peer


class Sent(NamedTuple):
    """What became of an object.

    status: of the response, or ours when it could not be sent; then error may say why.
    """

    sop_instance_uid: str
    status: int
    error: ArchiveError | None = None


class Originator(NamedTuple):
    """Who asked for the objects to be sent (PS3.7 9.1.1.1), by C-MOVE."""

    ae_title: str
    message_id: int


def send(
    archive: Archive,
    peer: Peer,
    calling: str,
    instances: Sequence[Instance],
    originator: Originator | None = None,
    pace: Pace | None = None,
    tls: ssl.SSLContext | None = None,
    priority: int = 0,
) -> Generator[Sent, None, None]:
    """Send objects in their order; each result comes when the peer has answered. To stop, take no more.

    calling: our AE title.  pace: how fast it goes; None for as fast as it can.
    tls: how to call a peer that wants TLS.  priority: as Store has it.
    Raises PeerFailed; the objects without a result are then still to be sent, and it happened at the first
    of them.
    """
    rest = list(instances)
    while rest:
        contexts = _proposed(rest, peer.transfer_syntaxes)
        with Dialogue(peer, calling, contexts, tls=tls) as association:
            store = Store(archive, association, originator, pace, peer.transfer_syntaxes, priority)
            while (
                rest and association.is_open and all(context in contexts for context in store.wanted(rest[0]))
            ):
                sent = store.send(rest[0])
                rest.pop(0)
                yield sent


def _wanted(instance: Instance, preferred: Sequence[str]) -> list[Context]:
    """The contexts in which it might be sent, the best first."""
    syntaxes = dict.fromkeys((*preferred, instance.transfer_syntax_uid, *PROPOSED_SYNTAXES))
    return [Context(instance.sop_class_uid, syntax) for syntax in syntaxes]


def _proposed(instances: Sequence[Instance], preferred: Sequence[str]) -> list[Context]:
    """The contexts of as many objects, from the first on, as one association holds."""
    contexts: dict[Context, None] = {}
    for instance in instances:
        wanted = contexts | dict.fromkeys(_wanted(instance, preferred))
        if len(wanted) > MOST_CONTEXTS:
            break
        contexts = wanted
    return list(contexts)


class Outlet(Protocol):
    """An association over which a peer can be asked to store: one of ours, or one that it has asked for."""

    @property
    def contexts(self) -> Mapping[Context, int]:
        """Those in which it takes requests, with their IDs."""
        ...

    @property
    def is_in_message(self) -> bool:
        """Whether it has a part of a message."""
        ...

    def request(self, context: Context, fields: Command, data_set: Iterable[bytes] | None = None) -> Command:
        """Send a message, and wait for its response."""
        ...

    def abort(self) -> None:
        """End it where it is."""
        ...


class Store:
    """Sends objects by C-STORE, one after the other, over one association."""

    def __init__(
        self,
        archive: Archive,
        association: Outlet,
        originator: Originator | None,
        pace: Pace | None = None,
        preferred: Sequence[str] = (),
        priority: int = 0,
    ) -> None:
        """preferred: transfer syntaxes that are better than the stored one, the best first.

        priority: of the requests (PS3.7 9.1.1.1).
        """
        self._archive = archive
        self._preferred = preferred
        self._association = association
        self._originator = originator
        self._pace = pace
        self._priority = priority

    def wanted(self, instance: Instance) -> list[Context]:
        """The contexts in which it might be sent."""
        return _wanted(instance, self._preferred)

    def send(self, instance: Instance) -> Sent:
        """Send one, as it is stored or else as it can be converted. Raises what the association raises."""
        uid = instance.sop_instance_uid
        try:
            return Sent(uid, self._send(instance))
        except ArchiveError as error:
            if self._association.is_in_message:  # the peer must not take what came for all of it
                self._association.abort()
            return Sent(uid, status_of(error), error)

    def _send(self, instance: Instance) -> int:
        accepted = self._association.contexts
        if not any(context.abstract_syntax == instance.sop_class_uid for context in accepted):
            return SOP_CLASS_NOT_SUPPORTED
        context = self._context(instance)
        if context is None:
            return TRANSFER_SYNTAX_NOT_SUPPORTED
        fields: Command = {
            "CommandField": C_STORE_RQ,
            "AffectedSOPClassUID": instance.sop_class_uid,
            "AffectedSOPInstanceUID": instance.sop_instance_uid,
            "Priority": self._priority,
        }
        if self._originator is not None:
            fields["MoveOriginatorApplicationEntityTitle"] = self._originator.ae_title
            fields["MoveOriginatorMessageID"] = self._originator.message_id
        data_set = self._archive.data_set(instance, context.transfer_syntax)
        pieces = data_set if self._pace is None else self._pace(data_set)
        status: int = self._association.request(context, fields, pieces)["Status"]
        return status

    def _context(self, instance: Instance) -> Context | None:
        """The best of the accepted contexts in which it can be sent, as it is stored or else converted."""
        contexts = self._association.contexts
        accepted = [context for context in self.wanted(instance) if context in contexts]
        return next((context for context in accepted if self._can_be(instance, context)), None)

    def _can_be(self, instance: Instance, context: Context) -> bool:
        syntax = context.transfer_syntax
        if syntax == instance.transfer_syntax_uid:
            return True
        if syntax in PROPOSED_SYNTAXES and instance.transfer_syntax_uid == EXPLICIT_LITTLE_ENDIAN:
            return True
        others = self._archive.object_syntaxes(instance)
        return (EXPLICIT_LITTLE_ENDIAN if syntax in PROPOSED_SYNTAXES else syntax) in others
