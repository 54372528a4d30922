"""What is offered to peers, as rows of a table of which negotiation, dispatch and conformance are made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pacs.dataset.transfer_syntax import TRANSFER_SYNTAXES
from pacs.dimse.admission import Gate, Rules
from pacs.dimse.answers import Answers
from pacs.dimse.association import Refusing, Request, Service
from pacs.dimse.command import C_ECHO_RQ
from pacs.dimse.negotiation import Negotiator, Terms
from pacs.dimse.sop_classes import MESSAGE_SYNTAXES, VERIFICATION, is_stored
from pacs.dimse.status import NOT_AUTHORIZED, UNRECOGNIZED_OPERATION
from pacs.model import Permission

OPEN_GATE = Gate(Rules(), lambda _: None)  # lets everybody do everything


@dataclass(frozen=True)
class Offer:
    """A service.

    name: as PS3.7 calls its messages.  section: of PS3.4.
    command_field: of its requests.
    sop_classes: in which it is asked for; empty for all storage classes.
    begin: what handles a request.  answers: what it can answer.
    options: of these SOP classes, the application information of what is supported beyond the usual.
    is_from_provider: whether the peer who asks is the SCP of them, and we the SCU.
    needs: what a peer must be permitted to ask for it; None for nothing.
    """

    name: str
    section: str
    command_field: int
    sop_classes: tuple[str, ...]
    begin: Callable[[Request], Service]
    answers: Answers
    options: bytes = b""
    is_from_provider: bool = False
    needs: Permission | None = None


class Offers:
    """All that is offered, and how requests find it."""

    def __init__(
        self, offers: Sequence[Offer], accept_unknown_sop_classes: bool, gate: Gate = OPEN_GATE
    ) -> None:
        """gate: decides which peers are offered what."""
        self.admit = gate.admit
        self._accept_unknown = accept_unknown_sop_classes
        self._offers = {(o.command_field, uid): o for o in offers for uid in o.sop_classes or ("",)}
        self._messages = frozenset(uid for offer in offers for uid in offer.sop_classes)
        self._provided = frozenset(
            uid for offer in offers if offer.is_from_provider for uid in offer.sop_classes
        )
        options = {uid: offer.options for offer in offers if offer.options for uid in offer.sop_classes}
        terms = Terms(
            self.transfer_syntaxes, self._takes_both_roles, self._provided.__contains__, self._needs, options
        )
        self.negotiator = Negotiator(terms)

    def transfer_syntaxes(self, abstract_syntax: str) -> frozenset[str]:
        """What can be negotiated for an abstract syntax; nothing when it is not supported."""
        if abstract_syntax in self._messages:
            return MESSAGE_SYNTAXES
        return TRANSFER_SYNTAXES if self._is_stored(abstract_syntax) else frozenset()

    def _takes_both_roles(self, abstract_syntax: str) -> bool:
        return abstract_syntax in self._provided or self._is_stored(abstract_syntax)

    def _is_stored(self, abstract_syntax: str) -> bool:
        return is_stored(abstract_syntax, self._accept_unknown)

    def _needs(self, abstract_syntax: str) -> frozenset[Permission]:
        """The permissions of which one is needed; none where some service needs none."""
        named = self._named(abstract_syntax)
        needs = [offer.needs for (_, uid), offer in self._offers.items() if uid == named]
        return frozenset() if None in needs else frozenset(filter(None, needs))

    def _named(self, abstract_syntax: str) -> str:
        return abstract_syntax if abstract_syntax in self._messages else ""

    def begin(self, request: Request, command_field: int) -> Service:
        """What handles a request of an accepted context."""
        # Some ask for C-ECHO in whatever context they have
        named = VERIFICATION if command_field == C_ECHO_RQ else self._named(request.context.abstract_syntax)
        offer = self._offers.get((command_field, named))
        if offer is None:
            return Refusing(request, UNRECOGNIZED_OPERATION)
        if offer.needs is not None and offer.needs not in request.association.admission.may:
            request.association.tell_refused(offer.needs)
            return Refusing(request, NOT_AUTHORIZED)
        return offer.begin(request._replace(answers=offer.answers))
