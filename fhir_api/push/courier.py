"""Sends studies, one after the other, until the other server has taken them."""

import time
from collections.abc import Callable
from typing import Any, Protocol

import structlog

from fhir_api.push.content import Content
from fhir_api.push.outbox import Due, PushOutbox
from fhir_api.push.server import PushFailed
from pacs.changes import Bell, Follower
from pacs.model import Level
from sr.transaction import names, transaction

FOLLOWER = "FHIR push"

# Seconds before each further attempt; the last one again and again, for a week
PAUSES = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0)
MOST_ATTEMPTS = 7 * 24
WAITING = "it waits until its reports have become resources"

log = structlog.get_logger()


class Server(Protocol):
    """Who carries transactions out."""

    def carry_out(self, bundle: dict[str, Any]) -> None:
        """Raises PushFailed."""


class DryRun:
    """Carries nothing out, and says what would have been sent."""

    def carry_out(self, bundle: dict[str, Any]) -> None:
        """Never raises."""
        methods = [entry["request"]["method"] for entry in bundle["entry"]]
        log.info("would be sent", made_or_changed=len(methods), removed=methods.count("DELETE"))


def push_follower(outbox: PushOutbox, ring: Callable[[], None], rest: float) -> Follower:
    """The follower that has a study sent whenever it has come to rest. rest: seconds."""

    def work(study: str) -> None:
        outbox.add(study)
        ring()

    return Follower(FOLLOWER, Level.STUDY, rest, lambda _: True, lambda task: work(task.study_instance_uid))


class PushCourier:
    """Works off the outbox. One in all processes of a service."""

    def __init__(
        self,
        outbox: PushOutbox,
        content: Callable[[str], Content],
        server: Server,
        bell: Bell,
    ) -> None:
        """content: of a study.  bell: rings when something was put into the outbox."""
        self._outbox = outbox
        self._content = content
        self._server = server
        self._bell = bell

    def run(self, is_stopping: Callable[[], bool]) -> None:
        """Work until it is time to stop and the bell rings."""
        while not is_stopping():
            try:
                if self.send_next(time.time()):
                    continue
                next_due = self._outbox.next_due()
                seconds = None if next_due is None else max(0.0, next_due - time.time())
            except Exception as error:  # noqa: BLE001 - the edge: a thread that ends sends nothing any more
                log.error("what is to be sent cannot be read", error=type(error).__name__, retry_in=PAUSES[0])
                seconds = PAUSES[0]
            self._bell.wait(seconds)

    def send_next(self, now: float) -> bool:
        """Send the study that has been due for the longest; whether there was one."""
        due = self._outbox.next(now)
        if due is not None:
            self._send(due)
        return due is not None

    def _send(self, due: Due) -> None:
        study = due.study_instance_uid
        try:
            content = self._content(study)
            if content.missing and due.attempts < len(PAUSES):
                self._outbox.put_off(due, WAITING, time.time() + PAUSES[due.attempts])
                return
            now, before = names(content.resources), self._outbox.sent(study)
            if content.resources or before:
                self._server.carry_out(transaction(content.resources, sorted(before - now)))
            self._outbox.done(due, now)
        except PushFailed as error:
            self._fail(due, str(error))
        except Exception as error:  # noqa: BLE001 - the edge: one study may not hold up the others
            self._fail(due, type(error).__name__)

    def _fail(self, due: Due, reason: str) -> None:
        attempts = due.attempts + 1
        pause = PAUSES[min(due.attempts, len(PAUSES) - 1)] if attempts < MOST_ATTEMPTS else None
        log.warning(
            "study not sent", study=due.study_instance_uid, reason=reason, attempt=attempts, retry_in=pause
        )
        self._outbox.put_off(due, reason, None if pause is None else time.time() + pause)
