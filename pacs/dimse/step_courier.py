"""Tells other systems of performed steps, as modalities told us: MPPS as an SCU (PS3.4 F.7.2)."""

import orjson

from pacs.dimse.command import Command
from pacs.dimse.data_set import DataSetWriter, asked_in
from pacs.dimse.heard import STEP_CREATED, STEP_SET, Then
from pacs.dimse.message_courier import Kind
from pacs.dimse.negotiation import Context
from pacs.dimse.sop_classes import PERFORMED_STEP
from pacs.index import Message
from pacs.model import DicomJson


def _write(content: bytes, context: Context) -> bytes:
    attributes: DicomJson = orjson.loads(content)
    return DataSetWriter(context, asked_in(attributes)).write(attributes)


def _then(message: Message, response: Command) -> Then:
    heard = STEP_CREATED if message.is_new else STEP_SET
    then = heard.then(response["Status"], response.get("ErrorID"))
    if then is Then.DONE_BEFORE:  # at the first attempt it is another's step, or was ended by another
        return Then.DONE if message.attempts else Then.GIVEN_UP
    return then


STEPS = Kind(
    PERFORMED_STEP,
    "performed step",
    "see what that system takes of MPPS, or take it out of mpps_forward",
    _write,
    _then,
)
