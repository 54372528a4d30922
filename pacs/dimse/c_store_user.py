"""C-STORE as its user: stored objects to another system (PS3.4 B.2.1)."""

from collections.abc import Iterator, Sequence
from itertools import islice

import structlog

from pacs.archive import Archive
from pacs.dataset.transfer_syntax import EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN
from pacs.dimse.command import C_ECHO_RQ, C_STORE_RQ, Command
from pacs.dimse.requestor import MOST_CONTEXTS, NotAssociated, Proposal, Requestor
from pacs.dimse.sop_classes import VERIFICATION
from pacs.errors import ArchiveError
from pacs.model import Instance, Peer

# Why an object was not sent at all, as statuses: PS3.7 Annex C, and PS3.18 Table I.2-2
CLASS_NOT_TAKEN, SYNTAX_NOT_TAKEN, NOT_READABLE = 0x0122, 0xC122, 0x0110
# The peer has no room: PS3.4 Table B.2-1
OUT_OF_RESOURCES = range(0xA700, 0xA800)

_DEFAULTS = (EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN)
_MEDIUM = 0  # priority

log = structlog.get_logger()


def echo(peer: Peer, calling_ae_title: str) -> int:
    """C-ECHO: the status of the answer. Raises NotAssociated."""
    proposal = (VERIFICATION, (IMPLICIT_LITTLE_ENDIAN, EXPLICIT_LITTLE_ENDIAN))
    with Requestor(peer, calling_ae_title, [proposal]) as association:
        if proposal not in association.accepted:
            raise NotAssociated(f"{peer.ae_title}: it does not take C-ECHO")
        context_id, _ = association.accepted[proposal]
        command: Command = {"AffectedSOPClassUID": VERIFICATION, "CommandField": C_ECHO_RQ}
        return int(association.ask(context_id, command).get("Status", 0))


def send(
    archive: Archive,
    peer: Peer,
    calling_ae_title: str,
    instances: Sequence[Instance],
    originator: Command | None = None,
) -> Iterator[tuple[Instance, int]]:
    """Send instances; each with the status of its response, or that of why it was not sent.

    An object goes as it is stored where the peer takes that, uncompressed otherwise.
    originator: the elements that a C-STORE has which a C-MOVE caused.
    Raises NotAssociated; then no instance that was not given back has been sent for sure.
    """
    rest = list(instances)
    while rest:
        batch = list(islice(rest, _fitting(rest)))
        with Requestor(peer, calling_ae_title, _proposals(batch)) as association:
            for instance in batch:
                rest.pop(0)
                status, is_sound = _send_one(archive, association, instance, originator or {})
                yield instance, status
                if not is_sound:  # it was broken off within a message
                    association.abandon()
                    break


def _send_one(
    archive: Archive, association: Requestor, instance: Instance, originator: Command
) -> tuple[int, bool]:
    """The status, and whether the association can go on."""
    chosen = _context(association, archive, instance)
    if isinstance(chosen, int):
        return chosen, True
    context_id, transfer_syntax_uid = chosen
    command: Command = {
        "AffectedSOPClassUID": instance.sop_class_uid,
        "CommandField": C_STORE_RQ,
        "Priority": _MEDIUM,
        "AffectedSOPInstanceUID": instance.sop_instance_uid,
        **originator,
    }
    try:
        response = association.ask(context_id, command, archive.data_set(instance, transfer_syntax_uid))
    except ArchiveError as error:
        log.warning(
            "not sent", instance=instance.sop_instance_uid, error=type(error).__name__, reason=str(error)
        )
        return NOT_READABLE, False
    return int(response.get("Status", NOT_READABLE)), True


def _context(association: Requestor, archive: Archive, instance: Instance) -> tuple[int, str] | int:
    """Context and transfer syntax for an instance, or the status of why there is none."""
    stored = association.accepted.get((instance.sop_class_uid, (instance.transfer_syntax_uid,)))
    if stored is not None:
        return stored
    default = association.accepted.get((instance.sop_class_uid, _DEFAULTS))
    if default is None:
        return CLASS_NOT_TAKEN
    own = {instance.transfer_syntax_uid, *archive.object_syntaxes(instance)}
    can = own | ({IMPLICIT_LITTLE_ENDIAN} if EXPLICIT_LITTLE_ENDIAN in own else set())
    return default if default[1] in can else SYNTAX_NOT_TAKEN


def _proposals(instances: Sequence[Instance]) -> list[Proposal]:
    """For each class its stored transfer syntaxes one by one, and the two that all can be converted to."""
    proposals: dict[Proposal, None] = {}
    for instance in instances:
        proposals[instance.sop_class_uid, (instance.transfer_syntax_uid,)] = None
        proposals[instance.sop_class_uid, _DEFAULTS] = None
    return list(proposals)


def _fitting(instances: Sequence[Instance]) -> int:
    """How many of them, from the first on, need no more contexts than an association has."""
    kinds: set[tuple[str, str]] = set()
    for number, instance in enumerate(instances):
        kinds.add((instance.sop_class_uid, instance.transfer_syntax_uid))
        if len(kinds) + len({uid for uid, _ in kinds}) > MOST_CONTEXTS:
            return number
    return len(instances)
