"""Asking a system to commit to what was sent to it: the SCU of storage commitment (PS3.4 J.3)."""

import ssl
import time
from contextlib import suppress

from pacs.dimse.command import N_ACTION_RQ, Command
from pacs.dimse.commitment_data import (
    MOST_BYTES,
    PROPOSED,
    PUSH_MODEL,
    PUSH_MODEL_INSTANCE,
    REQUEST_COMMITMENT,
    Information,
    write_information,
)
from pacs.dimse.dialogue import Dialogue
from pacs.dimse.heard import COMMITMENT_REQUEST, Then
from pacs.dimse.n_event_report import answer
from pacs.dimse.requestor import PeerFailed
from pacs.index import Asking, SentCommitments
from pacs.model import Peer

HERE = 5.0  # seconds that a report may take over the association of its request; then it comes over another
WAITED_FOR = 86_400.0  # seconds that it may take in all


def ask(
    commitments: SentCommitments,
    peer: Peer,
    calling: str,
    asking: Asking,
    tls: ssl.SSLContext | None = None,
) -> None:
    """Ask, and take the report if it comes at once.  calling: our AE title.  tls: as Requestor has it.

    Raises PeerFailed when the peer does not take the request.
    """
    with Dialogue(peer, calling, PROPOSED, most_bytes=MOST_BYTES, tls=tls) as association:
        context = next((one for one in PROPOSED if one in association.contexts), None)
        if context is None:
            raise PeerFailed(f"{peer.ae_title} takes the association, but no storage commitment")
        fields: Command = {
            "CommandField": N_ACTION_RQ,
            "RequestedSOPClassUID": PUSH_MODEL,
            "RequestedSOPInstanceUID": PUSH_MODEL_INSTANCE,
            "ActionTypeID": REQUEST_COMMITMENT,
        }
        data_set = write_information(Information(asking.transaction_uid, asking.references), context)
        status = association.request(context, fields, [data_set])["Status"]
        if COMMITMENT_REQUEST.then(status) is not Then.DONE:
            raise PeerFailed(f"{peer.ae_title} answers N-ACTION with status {status:04X}")
        commitments.asked(asking.transaction_uid, time.time() + WAITED_FOR)
        with suppress(PeerFailed):  # it has been asked, and reports over another association
            _take_report(commitments, peer, association)


def _take_report(commitments: SentCommitments, peer: Peer, association: Dialogue) -> None:
    received = association.wait_for_request(HERE)
    if received is not None:
        told = answer(commitments, peer.ae_title, received.command, received.data_set, received.context)
        association.respond(received, told)
