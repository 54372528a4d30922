"""What is offered to peers, as rows of a table of which negotiation, dispatch and conformance are made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pacs.dataset.transfer_syntax import TRANSFER_SYNTAXES
from pacs.dimse.association import Request, Service, Unrecognized
from pacs.dimse.command import C_ECHO_RQ
from pacs.dimse.negotiation import Negotiator, Terms
from pacs.dimse.sop_classes import MESSAGE_SYNTAXES, VERIFICATION, is_stored


@dataclass(frozen=True)
class Offer:
    """A service.

    name: as PS3.7 calls its messages.  section: of PS3.4.
    command_field: of its requests.
    sop_classes: in which it is asked for; empty for all storage classes.
    begin: what handles a request.
    options: of these SOP classes, the application information of what is supported beyond the usual.
    is_from_provider: whether the peer who asks is the SCP of them, and we the SCU.
    """

    name: str
    section: str
    command_field: int
    sop_classes: tuple[str, ...]
    begin: Callable[[Request], Service]
    options: bytes = b""
    is_from_provider: bool = False


class Offers:
    """All that is offered, and how requests find it."""

    def __init__(self, offers: Sequence[Offer], accept_unknown_sop_classes: bool) -> None:
        self._accept_unknown = accept_unknown_sop_classes
        self._handlers = {(o.command_field, uid): o.begin for o in offers for uid in o.sop_classes or ("",)}
        self._messages = frozenset(uid for offer in offers for uid in offer.sop_classes)
        self._provided = frozenset(
            uid for offer in offers if offer.is_from_provider for uid in offer.sop_classes
        )
        options = {uid: offer.options for offer in offers if offer.options for uid in offer.sop_classes}
        self.negotiator = Negotiator(Terms(self.transfer_syntaxes, self._takes_both_roles, options))

    def transfer_syntaxes(self, abstract_syntax: str) -> frozenset[str]:
        """What can be negotiated for an abstract syntax; nothing when it is not supported."""
        if abstract_syntax in self._messages:
            return MESSAGE_SYNTAXES
        return TRANSFER_SYNTAXES if self._is_stored(abstract_syntax) else frozenset()

    def _takes_both_roles(self, abstract_syntax: str) -> bool:
        return abstract_syntax in self._provided or self._is_stored(abstract_syntax)

    def _is_stored(self, abstract_syntax: str) -> bool:
        return is_stored(abstract_syntax, self._accept_unknown)

    def begin(self, request: Request, command_field: int) -> Service:
        """What handles a request of an accepted context."""
        abstract_syntax = request.context.abstract_syntax
        named = abstract_syntax if abstract_syntax in self._messages else ""
        if command_field == C_ECHO_RQ:
            named = VERIFICATION  # some ask in whatever context they have
        return self._handlers.get((command_field, named), Unrecognized)(request)
