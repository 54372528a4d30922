"""The general acknowledgement (HL7 v2 chapter 2.9, 2.14 and 2.15)."""

import re
import secrets
from datetime import UTC, datetime

from hl7v2.message import Code, MessageRefused

ACCEPTED, ERROR, REJECTED = "AA", "AE", "AR"

# Of these the message itself is rejected: it cannot be done, however often it is sent (table 0008)
_REJECTING = (Code.MESSAGE_TYPE, Code.SEQUENCE)

_LOCATION = re.compile(r"([A-Z0-9]{3})(?:-(\d+))?")
_SPECIAL = re.compile(r"[|^~\\&\r\n]")
_ESCAPES = {"|": "\\F\\", "^": "\\S\\", "~": "\\R\\", "&": "\\T\\", "\\": "\\E\\"}


def acknowledgement(asked: list[str], refused: MessageRefused | None) -> bytes:
    """The answer to a message.

    asked: the fields of its MSH as they were written, as the standard counts them; may be cut off.
    refused: what became of it; None when it was done.
    """
    fields = [*asked, *[""] * 20][:20]
    event = fields[9].split("^")[1] if "^" in fields[9] else ""
    now = datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000")
    kind = f"ACK^{event}^ACK" if event else "ACK"
    sender, receiver = (fields[3], fields[4]), (fields[5], fields[6])
    header = ["MSH", "^~\\&", *receiver, *sender, now, "", kind, secrets.token_hex(8), fields[11] or "P"]
    header += [fields[12] or "2.5.1", *[""] * 5, "UNICODE UTF-8"]
    segments = ["|".join(header), f"MSA|{_code(refused)}|{fields[10]}{_text(refused)}"]
    if refused is not None:
        segments.append(_err(refused))
    return "".join(f"{segment}\r" for segment in segments).encode()


def _code(refused: MessageRefused | None) -> str:
    if refused is None:
        return ACCEPTED
    return REJECTED if refused.code in _REJECTING else ERROR


def _text(refused: MessageRefused | None) -> str:
    return "" if refused is None else f"|{_escaped(str(refused))[:80]}"


def _err(refused: MessageRefused) -> str:
    """ERR as of version 2.5: where, what, how severe, and the text for people."""
    number, meaning = refused.code.value
    found = _LOCATION.fullmatch(refused.where)
    where = f"{found[1]}^1{f'^{found[2]}' if found[2] else ''}" if found else ""
    return f"ERR||{where}|{number}^{meaning}^HL70357|E||||{_escaped(str(refused))}"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda found: _ESCAPES.get(found[0], " "), text)


def header_of(content: bytes) -> list[str]:
    """The fields of the MSH as they are written, of whatever came; empty when it has none."""
    line = re.split(rb"[\r\n]", content.strip(), maxsplit=1)[0]
    if line[:3] != b"MSH" or len(line) < 4:
        return []
    separator = line[3:4]
    fields = line.decode("ascii", "replace").split(separator.decode("ascii", "replace"))
    cleaned = [re.sub(r"[^ -~]", "?", field)[:200] for field in fields[1:]]
    return ["MSH", "|", *(field.replace("|", " ") for field in cleaned)]
