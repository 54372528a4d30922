"""What becomes of a message: it is read, done, answered, and logged without a word of what it says."""

from collections.abc import Iterator

import structlog

from hl7v2.answer import acknowledgement, header_of
from hl7v2.message import Code, Message, MessageRefused
from hl7v2.order import steps_of
from pacs.errors import ArchiveError, AttributeMissing, InvalidStep, NotFound, StepConflict, StepRefusal
from pacs.procedure_steps.orders import Orders

log = structlog.get_logger()

# What the archive can say no with, as table 0357 has it; anything else is an internal error
_CODES: dict[type[ArchiveError], Code] = {
    AttributeMissing: Code.MISSING,
    InvalidStep: Code.DATA_TYPE,
    NotFound: Code.UNKNOWN_KEY,
    StepConflict: Code.LOCKED,
}


class Receiver:
    """Takes messages. Safe for threads."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    def take(self, content: bytes, source: str) -> bytes:
        """Do what a message says, durably; the acknowledgement.  source: who sent it, for the log."""
        return acknowledgement(header_of(content), self.do(content, source))

    def do(self, content: bytes, source: str) -> MessageRefused | None:
        """The same; why it is not done, None when it is."""
        try:
            self._orders.take(steps_of(Message(content)))
        except MessageRefused as error:
            refused = error
        except ArchiveError as error:
            refused = MessageRefused(_code_of(error), "", str(error))
        except Exception:  # the edge: whoever gets no answer sends it again, and nothing after it
            log.exception("order failed", peer=source)
            refused = MessageRefused(Code.INTERNAL, "", "the archive failed on it, and its log says where")
        else:
            log.info("order taken", peer=source)
            return None
        log.warning("order refused", peer=source, reason=str(refused))
        return refused


def _code_of(error: ArchiveError) -> Code:
    if isinstance(error, StepConflict) and error.reason is StepRefusal.EXISTS:
        return Code.DUPLICATE_KEY
    return next((_CODES[kind] for kind in type(error).__mro__ if kind in _CODES), Code.INTERNAL)


def messages_of(content: bytes) -> Iterator[bytes]:
    """The messages of a file, which may be a batch (chapter 2.10.3), in their order."""
    message: list[bytes] = []
    for line in content.replace(b"\r\n", b"\r").replace(b"\n", b"\r").split(b"\r"):
        line = line.strip(b"\x0b\x1c \t\xef\xbb\xbf")
        if line[:3] in (b"FHS", b"BHS", b"BTS", b"FTS") or not line:
            continue
        if line[:3] == b"MSH" and message:
            yield b"\r".join(message)
            message = []
        message.append(line)
    if message:
        yield b"\r".join(message)
