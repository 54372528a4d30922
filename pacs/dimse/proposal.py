"""Asking for an association (PS3.8 7.1, PS3.7 Annex D). The coding is pynetdicom's."""

from collections.abc import Collection, Sequence
from struct import pack

from pydicom.uid import UID
from pynetdicom._globals import APPLICATION_CONTEXT_NAME
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import A_ASSOCIATE, SCP_SCU_RoleSelectionNegotiation
from pynetdicom.presentation import PresentationContext, build_context

from pacs.dataset.transfer_syntax import EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN
from pacs.dimse import wire
from pacs.dimse.negotiation import Context, maximum_sent, user_information

MOST_CONTEXTS = 128  # in one association: their IDs are odd numbers of one byte (PS3.8 9.3.2.2)

# In which messages of ours are proposed, and into which objects are converted that are not taken as stored
PROPOSED_SYNTAXES = (EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN)

# PS3.8 Table 9-21: why an association is rejected, by source and reason
_REJECTIONS = {
    (1, 2): "it does not support the application context",
    (1, 3): "it does not know our AE title; register it there",
    (1, 7): "it does not answer to this AE title",
    (2, 2): "it does not support the protocol version",
    (3, 1): "it is congested for the moment",
    (3, 2): "it has as many associations as it takes for the moment",
}


def proposed(*abstract_syntaxes: str) -> list[Context]:
    """What is proposed for messages in these, the preferred one of each first."""
    return [Context(uid, syntax) for uid in abstract_syntaxes for syntax in PROPOSED_SYNTAXES]


def association_request(
    calling: str, called: str, contexts: Sequence[Context], provided: Collection[str] = ()
) -> bytes:
    """The A-ASSOCIATE-RQ PDU.

    contexts: MOST_CONTEXTS at most; their IDs are 1, 3, 5 and so on.
    provided: the abstract syntaxes of which we are the SCP, though we ask (PS3.7 D.3.3.4).
    """
    request = A_ASSOCIATE()
    request.application_context_name = APPLICATION_CONTEXT_NAME
    request.calling_ae_title = calling
    request.called_ae_title = called
    request.presentation_context_definition_list = [
        _numbered(2 * place + 1, context) for place, context in enumerate(contexts)
    ]
    request.user_information = [*user_information(), *map(_as_provider, provided)]
    pdu = A_ASSOCIATE_RQ()
    pdu.from_primitive(request)
    encoded: bytes = pdu.encode()
    return encoded


def _as_provider(abstract_syntax: str) -> SCP_SCU_RoleSelectionNegotiation:
    role = SCP_SCU_RoleSelectionNegotiation()
    role.sop_class_uid = UID(abstract_syntax)
    role.scu_role, role.scp_role = False, True
    return role


def _numbered(context_id: int, context: Context) -> PresentationContext:
    numbered = build_context(UID(context.abstract_syntax), [UID(context.transfer_syntax)])
    numbered.context_id = context_id
    return numbered


def read_acceptance(content: bytes, proposed: Sequence[Context]) -> tuple[dict[Context, int], int]:
    """The accepted contexts with their IDs, and bytes of the largest PDU that the peer takes.

    content: of the A-ASSOCIATE-AC, without the first six bytes. Raises ProtocolError when it cannot be read.
    """
    pdu = A_ASSOCIATE_AC()
    try:
        pdu.decode(pack(">BBI", wire.ASSOCIATE_AC, 0, len(content)) + content)
        answer = pdu.to_primitive()
        results = {cx.context_id: cx.result for cx in answer.presentation_context_definition_results_list}
        asked = answer.maximum_length_received
    except Exception as error:
        # pynetdicom raises whatever its parsing meets: all of it means the same
        message = f"the A-ASSOCIATE-AC cannot be read: {type(error).__name__}"
        raise wire.ProtocolError(message, wire.INVALID_PARAMETER) from error
    numbers = {context: 2 * place + 1 for place, context in enumerate(proposed)}
    if results.keys() != set(numbers.values()):
        raise wire.ProtocolError("the A-ASSOCIATE-AC answers other proposals", wire.INVALID_PARAMETER)
    accepted = {context: number for context, number in numbers.items() if results[number] == 0}
    return accepted, maximum_sent(asked)


def rejection_reason(content: bytes) -> str:
    """What an A-ASSOCIATE-RJ says. content: without the first six bytes of the PDU."""
    _, _, source, reason = content[:4].ljust(4, b"\0")
    return _REJECTIONS.get((source, reason), "it gives no reason")
