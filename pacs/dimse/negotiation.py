"""Agreeing on an association (PS3.8 7.1, PS3.7 Annex D). The coding and the rules are pynetdicom's."""

from dataclasses import dataclass
from functools import lru_cache
from struct import pack
from typing import Any

from pydicom.uid import UID
from pynetdicom._globals import APPLICATION_CONTEXT_NAME
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
)
from pynetdicom.presentation import PresentationContext, build_context, negotiate_as_acceptor

from pacs.dataset.part10 import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from pacs.dimse import wire
from pacs.dimse.sop_classes import transfer_syntaxes_for

# Bytes. What we send at most in one PDU to a peer that sets no limit.
_LARGEST_SENT = 131_072
_SMALLEST_SENT = 4_096

# Requests whose answer is remembered: a modality asks the same each time, and 128 contexts cost 10 ms.
_KNOWN_REQUESTS = 64


@dataclass(frozen=True)
class Context:
    """A presentation context with one transfer syntax: accepted, or proposed."""

    abstract_syntax: str
    transfer_syntax: str


@dataclass(frozen=True)
class Agreement:
    """What was agreed with a peer.

    contexts: accepted presentation contexts by their ID.
    refused: names, or else UIDs, of the services for which no context was accepted.
    maximum_sent: bytes of the largest PDU that the peer takes.
    """

    calling_ae_title: str
    called_ae_title: str
    contexts: dict[int, Context]
    refused: tuple[str, ...]
    maximum_sent: int
    reply: bytes


class Rejected(Exception):
    """No association is made. reply: the A-ASSOCIATE-RJ PDU."""

    def __init__(self, message: str, result: int, source: int, reason: int) -> None:
        super().__init__(message)
        self.reply = rejection(result, source, reason)


def rejection(result: int, source: int, reason: int) -> bytes:
    """A-ASSOCIATE-RJ with its result, source and reason (PS3.8 Table 9-21)."""
    return pack(">BBIBBBB", wire.ASSOCIATE_RJ, 0, 4, 0, result, source, reason)


# Presentation provider, transient: local limit exceeded
LIMIT_EXCEEDED = rejection(2, 3, 2)


@lru_cache(_KNOWN_REQUESTS)
def agree(request: bytes, accept_unknown_sop_classes: bool) -> Agreement:
    """Answer an A-ASSOCIATE-RQ, given without its first six bytes.

    Raises Rejected, or ProtocolError when it cannot be read.
    """
    asked = _decode(request)
    if asked.application_context_name != APPLICATION_CONTEXT_NAME:
        raise Rejected("the application context is not DICOM's", 1, 1, 2)
    proposed = asked.presentation_context_definition_list
    results, _ = negotiate_as_acceptor(proposed, _supported(proposed, accept_unknown_sop_classes))
    contexts = {
        cx.context_id: Context(str(cx.abstract_syntax), str(cx.transfer_syntax[0]))
        for cx in results
        if cx.result == 0 and cx.context_id is not None
    }
    return Agreement(
        calling_ae_title=asked.calling_ae_title.strip(),
        called_ae_title=asked.called_ae_title.strip(),
        contexts=contexts,
        refused=_refused(proposed, contexts),
        maximum_sent=maximum_sent(asked.maximum_length_received),
        reply=_reply(asked, results),
    )


def _refused(proposed: list[PresentationContext], contexts: dict[int, Context]) -> tuple[str, ...]:
    taken = {context.abstract_syntax for context in contexts.values()}
    asked = dict.fromkeys(one.abstract_syntax for one in proposed if one.abstract_syntax is not None)
    return tuple(uid.name for uid in asked if str(uid) not in taken)


def _decode(request: bytes) -> A_ASSOCIATE:
    pdu = A_ASSOCIATE_RQ()
    try:
        pdu.decode(pack(">BBI", wire.ASSOCIATE_RQ, 0, len(request)) + request)
        return pdu.to_primitive()
    except Exception as error:
        # pynetdicom raises whatever its parsing meets: all of it means the same
        message = f"the A-ASSOCIATE-RQ cannot be read: {type(error).__name__}"
        raise wire.ProtocolError(message, wire.INVALID_PARAMETER) from error


def _supported(proposed: list[PresentationContext], accept_unknown: bool) -> list[PresentationContext]:
    """For each abstract syntax, the transfer syntaxes that we take, in the order of the peer's preference."""
    wanted: dict[UID, list[str]] = {}
    for context in proposed:
        if context.abstract_syntax is None:
            continue
        syntaxes = wanted.setdefault(context.abstract_syntax, [])
        taken = transfer_syntaxes_for(str(context.abstract_syntax), accept_unknown)
        syntaxes += [s for s in map(str, context.transfer_syntax) if s in taken and s not in syntaxes]
    return [build_context(uid, syntaxes) for uid, syntaxes in wanted.items() if syntaxes]


def maximum_sent(asked: int | None) -> int:
    """Bytes of the largest PDU for a peer that asks for this limit."""
    return max(_SMALLEST_SENT, min(asked or _LARGEST_SENT, _LARGEST_SENT))


def user_information() -> list[Any]:
    """What we tell of ourselves (PS3.7 D.3.3)."""
    length = MaximumLengthNotification()
    length.maximum_length_received = wire.MAXIMUM_PDU
    implementation = ImplementationClassUIDNotification()
    implementation.implementation_class_uid = UID(IMPLEMENTATION_CLASS_UID)
    name = ImplementationVersionNameNotification()
    name.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    return [length, implementation, name]


def _reply(asked: A_ASSOCIATE, results: list[PresentationContext]) -> bytes:
    answer = A_ASSOCIATE()
    answer.application_context_name = APPLICATION_CONTEXT_NAME
    answer.calling_ae_title = asked.calling_ae_title
    answer.called_ae_title = asked.called_ae_title
    answer.result = 0
    answer.result_source = 1
    answer.presentation_context_definition_results_list = results
    answer.user_information = user_information()
    pdu = A_ASSOCIATE_AC()
    pdu.from_primitive(answer)
    encoded: bytes = pdu.encode()
    return encoded
