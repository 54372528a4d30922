"""Agreeing on an association (PS3.8 7.1, PS3.7 Annex D). The coding and the rules are pynetdicom's."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from operator import and_
from struct import pack
from typing import Any

from pydicom.uid import UID
from pynetdicom._globals import APPLICATION_CONTEXT_NAME as APPLICATION_CONTEXT_NAME
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
    SCP_SCU_RoleSelectionNegotiation,
    SOPClassExtendedNegotiation,
)
from pynetdicom.presentation import PresentationContext, build_context, negotiate_as_acceptor

from pacs.dataset.part10 import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from pacs.dimse import wire
from pacs.dimse.rejection import APPLICATION_CONTEXT, Rejection
from pacs.model import Permission

# Bytes. What we send at most in one PDU to a peer that sets no limit.
LARGEST_SENT = 131_072
_SMALLEST_SENT = 4_096

_TITLES_END = 36  # bytes of the request up to the end of both AE titles

# Requests whose answer is remembered: a modality asks the same each time, and 128 contexts cost 10 ms.
_KNOWN_REQUESTS = 64

_USER_REJECTION = 1  # PS3.8 Table 9-18

# Whether the peer wants to be SCU and SCP, by abstract syntax (PS3.7 D.3.3.4)
Roles = dict[UID, tuple[bool | None, bool | None]]
_AS_SCU = True, False


@dataclass(frozen=True)
class Context:
    """A presentation context with one transfer syntax: accepted, or proposed."""

    abstract_syntax: str
    transfer_syntax: str


@dataclass(frozen=True)
class Agreement:
    """What was agreed with a peer.

    contexts: accepted presentation contexts by their ID.
    taken: those in which the peer takes requests, as an SCP by its role (PS3.7 D.3.3.4), with their IDs.
    lacking: what the peer would have needed for contexts that were rejected for want of it.
    extended: by SOP class, which of its options hold (PS3.7 D.3.3.5).
    refused: names, or else UIDs, of the services for which no context was accepted.
    maximum_sent: bytes of the largest PDU that the peer takes.
    """

    calling_ae_title: str
    called_ae_title: str
    contexts: dict[int, Context]
    taken: dict[Context, int]
    lacking: frozenset[Permission]
    extended: dict[str, bytes]
    refused: tuple[str, ...]
    maximum_sent: int
    reply: bytes


class Rejected(Exception):
    """No association is made. reply: the A-ASSOCIATE-RJ PDU."""

    def __init__(self, message: str, rejection: Rejection) -> None:
        super().__init__(message)
        self.reply = rejection.pdu


@dataclass(frozen=True)
class Terms:
    """What we agree to.

    transfer_syntaxes: those that are taken of an abstract syntax; none where it is not supported.
    takes_both_roles: whether peers may be the SCP of an abstract syntax, too.
    reports: whether the peer, as the SCP of an abstract syntax, tells us of what we asked for earlier.
    needs: of which permissions one is needed to ask for anything of an abstract syntax; empty for none.
    options: of SOP classes, the application information that says what is supported (PS3.4 C.5.1.1).
    """

    transfer_syntaxes: Callable[[str], frozenset[str]]
    takes_both_roles: Callable[[str], bool]
    reports: Callable[[str], bool]
    needs: Callable[[str], frozenset[Permission]]
    options: dict[str, bytes]


class Negotiator:
    """Answers requests for associations. Safe for threads."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._agree_with = lru_cache(_KNOWN_REQUESTS)(self._agree)

    def agree(self, request: bytes, may: frozenset[Permission], preferred: tuple[str, ...]) -> Agreement:
        """Answer an A-ASSOCIATE-RQ, given without its first six bytes.

        may: what the peer may ask.  preferred: transfer syntaxes that are accepted before others.
        Raises Rejected, or ProtocolError when it cannot be read.
        """
        return self._agree_with(request, may, preferred)

    def _agree(self, request: bytes, may: frozenset[Permission], preferred: tuple[str, ...]) -> Agreement:
        asked = _decode(request)
        if asked.application_context_name != APPLICATION_CONTEXT_NAME:
            raise Rejected("the application context is not DICOM's", APPLICATION_CONTEXT)
        proposed = asked.presentation_context_definition_list
        said = asked.user_information
        roles: Roles = {
            item.sop_class_uid: (item.scu_role, item.scp_role)
            for item in said
            if isinstance(item, SCP_SCU_RoleSelectionNegotiation) and item.sop_class_uid
        }
        usable, refused = self._permitted(proposed, roles, may)
        supported = self._supported(usable, may, preferred)
        results, agreed_roles = negotiate_as_acceptor(proposed, supported, roles)
        for context in results:
            if context.abstract_syntax in refused:
                context.result = _USER_REJECTION
        accepted = {cx.context_id: cx for cx in results if cx.result == 0 and cx.context_id is not None}
        contexts = {
            number: Context(str(cx.abstract_syntax), str(cx.transfer_syntax[0]))
            for number, cx in accepted.items()
        }
        extended = self._options([item for item in said if isinstance(item, SOPClassExtendedNegotiation)])
        return Agreement(
            calling_ae_title=asked.calling_ae_title.strip(),
            called_ae_title=asked.called_ae_title.strip(),
            contexts=contexts,
            taken={contexts[number]: number for number, cx in accepted.items() if cx.as_scu},
            lacking=frozenset().union(*(self._terms.needs(uid) for uid in refused)),
            extended=extended,
            refused=_refused(proposed, contexts),
            maximum_sent=maximum_sent(asked.maximum_length_received),
            reply=_reply(asked, results, [*agreed_roles, *map(_extended, extended, extended.values())]),
        )

    def _permitted(
        self, proposed: list[PresentationContext], roles: Roles, may: frozenset[Permission]
    ) -> tuple[list[PresentationContext], frozenset[str]]:
        """The contexts of which the peer may make use, and the abstract syntaxes of which it may not."""
        refused = frozenset(
            uid
            for uid in {str(context.abstract_syntax) for context in proposed}
            if self._terms.transfer_syntaxes(uid)
            and not self._may_ask(uid, may)
            and not (self._may_be_asked(uid, may) and roles.get(UID(uid), _AS_SCU)[1])
        )
        return [context for context in proposed if context.abstract_syntax not in refused], refused

    def _may_ask(self, abstract_syntax: str, may: frozenset[Permission]) -> bool:
        needs = self._terms.needs(abstract_syntax)
        return not needs or bool(needs & may)

    def _may_be_asked(self, abstract_syntax: str, may: frozenset[Permission]) -> bool:
        """Whether we send over the association that the peer has asked for, as C-GET does, or hear it."""
        may_be = Permission.RETRIEVE in may or self._terms.reports(abstract_syntax)
        return may_be and self._terms.takes_both_roles(abstract_syntax)

    def _supported(
        self, proposed: list[PresentationContext], may: frozenset[Permission], preferred: tuple[str, ...]
    ) -> list[PresentationContext]:
        """For each abstract syntax, the transfer syntaxes that we take: preferred ones, the peer's order."""
        wanted: dict[UID, list[str]] = {}
        for context in proposed:
            if context.abstract_syntax is None:
                continue
            syntaxes = wanted.setdefault(context.abstract_syntax, [])
            taken = self._terms.transfer_syntaxes(str(context.abstract_syntax))
            syntaxes += [s for s in map(str, context.transfer_syntax) if s in taken and s not in syntaxes]
        place = {uid: number for number, uid in enumerate(preferred)}
        for syntaxes in wanted.values():
            syntaxes.sort(key=lambda uid: place.get(uid, len(place)))
        supported = [build_context(uid, syntaxes) for uid, syntaxes in wanted.items() if syntaxes]
        for context in supported:
            uid = str(context.abstract_syntax)
            if self._terms.takes_both_roles(uid):
                context.scu_role, context.scp_role = self._may_ask(uid, may), self._may_be_asked(uid, may)
        return supported

    def _options(self, asked: list[SOPClassExtendedNegotiation]) -> dict[str, bytes]:
        """What the peer wants and we support, byte by byte."""
        options = {}
        for item in asked:
            wanted = item.service_class_application_information or b""
            known = self._terms.options.get(str(item.sop_class_uid))
            if known is not None:
                options[str(item.sop_class_uid)] = bytes(map(and_, wanted, known))
        return options


def _refused(proposed: list[PresentationContext], contexts: dict[int, Context]) -> tuple[str, ...]:
    taken = {context.abstract_syntax for context in contexts.values()}
    asked = dict.fromkeys(one.abstract_syntax for one in proposed if one.abstract_syntax is not None)
    return tuple(uid.name for uid in asked if str(uid) not in taken)


def _extended(sop_class_uid: str, options: bytes) -> SOPClassExtendedNegotiation:
    item = SOPClassExtendedNegotiation()
    item.sop_class_uid = UID(sop_class_uid)
    item.service_class_application_information = options
    return item


def _decode(request: bytes) -> A_ASSOCIATE:
    pdu = A_ASSOCIATE_RQ()
    try:
        pdu.decode(pack(">BBI", wire.ASSOCIATE_RQ, 0, len(request)) + request)
        return pdu.to_primitive()
    except Exception as error:
        # pynetdicom raises whatever its parsing meets: all of it means the same
        message = f"the A-ASSOCIATE-RQ cannot be read: {type(error).__name__}"
        raise wire.ProtocolError(message, wire.INVALID_PARAMETER) from error


def maximum_sent(asked: int | None) -> int:
    """Bytes of the largest PDU for a peer that asks for this limit."""
    return max(_SMALLEST_SENT, min(asked or LARGEST_SENT, LARGEST_SENT))


def user_information() -> list[Any]:
    """What we tell of ourselves (PS3.7 D.3.3)."""
    length = MaximumLengthNotification()
    length.maximum_length_received = wire.MAXIMUM_PDU
    implementation = ImplementationClassUIDNotification()
    implementation.implementation_class_uid = UID(IMPLEMENTATION_CLASS_UID)
    name = ImplementationVersionNameNotification()
    name.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    return [length, implementation, name]


def titles(request: bytes) -> tuple[str, str]:
    """The calling and the called AE title of an A-ASSOCIATE-RQ, given without its first six bytes.

    They stand at fixed places (PS3.8 Table 9-11). Raises ProtocolError when it ends before them.
    """
    if len(request) < _TITLES_END:
        raise wire.ProtocolError("the A-ASSOCIATE-RQ is too short", wire.INVALID_PARAMETER)
    called, calling = request[4:20], request[20:_TITLES_END]
    return calling.decode("ascii", "replace").strip(" \0"), called.decode("ascii", "replace").strip(" \0")


def _reply(asked: A_ASSOCIATE, results: list[PresentationContext], agreed: list[Any]) -> bytes:
    answer = A_ASSOCIATE()
    answer.application_context_name = APPLICATION_CONTEXT_NAME
    answer.calling_ae_title = asked.calling_ae_title
    answer.called_ae_title = asked.called_ae_title
    answer.result = 0
    answer.result_source = 1
    answer.presentation_context_definition_results_list = results
    answer.user_information = [*user_information(), *agreed]
    pdu = A_ASSOCIATE_AC()
    pdu.from_primitive(answer)
    encoded: bytes = pdu.encode()
    return encoded
