"""A front of our own for each test, on a free port, with an archive in a folder."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pacs.archive import Archive
from pacs.changes import Bell
from pacs.dimse import DimseServer, Limits, rounds
from pacs.dimse.answers import BEFORE, C_STORE, N_EVENT_REPORT
from pacs.dimse.association import Request
from pacs.dimse.command import C_STORE_RQ, N_EVENT_REPORT_RQ, Command
from pacs.dimse.n_action import Desk
from pacs.dimse.offer import Offer, Offers
from pacs.dimse.offered import offered
from pacs.dimse.requestor import Requestor
from pacs.index import Index
from pacs.procedure_steps.performed import PerformedSteps
from pacs.procedure_steps.scheduled import ScheduledSteps

OVER_OURS = {C_STORE_RQ: C_STORE, N_EVENT_REPORT_RQ: N_EVENT_REPORT}

StartFront = Callable[..., int]


@pytest.fixture
def bell(tmp_path: Path) -> Bell:
    """What a courier listens to."""
    return Bell(tmp_path / "bell")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Couriers try again at once."""
    monkeypatch.setattr(rounds, "PAUSES", (0.05,))


@pytest.fixture(autouse=True)
def only_what_is_told(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test asks, no answer has a status that the table of its service has not.

    Over the associations that are asked for here, too, where the peer asks something.
    """
    untold: list[tuple[Command, Command]] = []
    respond, reply = Request.respond, Requestor.reply

    def checked(request: Request, fields: Command, data_set: bytes | None = None) -> None:
        if fields["Status"] not in request.answers.statuses | BEFORE.statuses:
            untold.append((request.command, fields))
        respond(request, fields, data_set)

    def checked_over_ours(
        association: Requestor, context_id: int, command: Command, fields: Command
    ) -> Command:
        if fields["Status"] not in OVER_OURS[command["CommandField"]].statuses:
            untold.append((command, fields))
        return reply(association, context_id, command, fields)

    monkeypatch.setattr(Request, "respond", checked)
    monkeypatch.setattr(Requestor, "reply", checked_over_ours)
    yield
    assert untold == []


@pytest.fixture
def desk(index: Index, tmp_path: Path) -> Desk:
    """Where storage commitment is asked for; nobody works there."""
    return Desk(index.commitment_requests, tmp_path / "doors", lambda: None)


@pytest.fixture
def ring_outbox() -> Callable[[], None]:
    """What is called when something is to be sent again; nobody listens."""
    return lambda: None


@pytest.fixture
def services(index: Index, desk: Desk, ring_outbox: Callable[[], None]) -> tuple[Offer, ...]:
    """All that is offered."""
    steps = ScheduledSteps(index.worklist), PerformedSteps(index.worklist, days_kept=30.0)
    return offered(index, "DIAFANA", desk, ring_outbox, *steps)


@pytest.fixture
def start_front(archive: Archive, services: tuple[Offer, ...]) -> Iterator[StartFront]:
    """Starts a front with these limits; returns its port."""
    with ExitStack() as stack:

        def start(
            associations: int = 20,
            from_one_address: int = 20,
            idle_time: float = 10.0,
            accept_unknown_sop_classes: bool = True,
        ) -> int:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            offers = Offers(services, accept_unknown_sop_classes)
            front = DimseServer(listener, archive, offers, Limits(associations, from_one_address, idle_time))
            front.start()
            stack.callback(front.stop, 5.0)
            port: int = listener.getsockname()[1]
            return port

        yield start


@pytest.fixture
def port(start_front: StartFront) -> int:
    return start_front()
