"""Tells other systems of performed steps, as modalities told us: MPPS as an SCU (PS3.4 F.7.2)."""

import orjson

from pacs.dimse.command import Command
from pacs.dimse.data_set import DataSetWriter, data_set_of
from pacs.dimse.message_courier import Kind
from pacs.dimse.negotiation import Context
from pacs.dimse.sop_classes import PERFORMED_STEP
from pacs.dimse.status import DUPLICATE_SOP_INSTANCE, NO_LONGER_UPDATED
from pacs.index import Message


def _write(content: bytes, context: Context) -> bytes:
    return DataSetWriter(context, None).write(data_set_of(orjson.loads(content)))


def _is_known(message: Message, response: Command) -> bool:
    """Only at a further attempt: at the first one it is another's step, or was ended by another."""
    if not message.attempts:
        return False
    if message.is_new:
        return bool(response["Status"] == DUPLICATE_SOP_INSTANCE)
    return bool(response.get("ErrorID") == NO_LONGER_UPDATED)


STEPS = Kind(
    PERFORMED_STEP,
    "performed step",
    "see what that system takes of MPPS, or take it out of mpps_forward",
    _write,
    _is_known,
)
