"""Tells subscribers what changed, each in its order, until they have taken it."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from fhir_api.answers import Answer
from fhir_api.journal import Journal, Noted
from fhir_api.outcome import RequestFault
from fhir_api.resources import Resources
from fhir_api.subscriptions.criteria import AT_ONCE, matching
from fhir_api.subscriptions.hook import CallFailed
from fhir_api.subscriptions.model import Status, Subscription
from fhir_api.subscriptions.store import Notification, SubscriptionStore
from fhir_api.subscriptions.submitted import is_allowed
from pacs.changes import Bell, Follower
from pacs.errors import ArchiveError, NotFound, OutOfSpace, StorageFailed
from pacs.model import Level

FOLLOWER = "FHIR subscriptions"

# Seconds before each further attempt; the last one again and again, for a week
PAUSES = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0)
MOST_ATTEMPTS = 7 * 24
FAILING = 3  # failures after which the status says so
NOT_ALLOWED = "its address is not among those in fhir_subscription_endpoints any more"

log = structlog.get_logger()


class Hook(Protocol):
    """Who calls subscribers. Both raise CallFailed."""

    def greet(self, subscription: Subscription) -> None:
        """See whether somebody is there."""

    def notify(self, subscription: Subscription, changed: Answer) -> None:
        """Tell of a resource."""


def study_follower(journal: Journal, ring: Callable[[], None], rest: float) -> Follower:
    """The follower that notes each study that has changed and come to rest. rest: seconds."""

    def work(study: str, sequence: int) -> None:
        journal.note("ImagingStudy", study, sequence)
        ring()

    return Follower(
        FOLLOWER, Level.STUDY, rest, lambda _: True, lambda task: work(task.study_instance_uid, task.sequence)
    )


class SubscriptionCourier:
    """Works off the journal, and what each subscriber is to be told. One in all processes of a service."""

    def __init__(
        self,
        journal: Journal,
        store: SubscriptionStore,
        resources: Resources,
        hook: Hook,
        bell: Bell,
        allowed: Sequence[str],
    ) -> None:
        """bell: rings when something was noted, or a subscription has changed.  allowed: addresses."""
        self._journal = journal
        self._store = store
        self._resources = resources
        self._hook = hook
        self._bell = bell
        self._allowed = allowed

    def run(self, is_stopping: Callable[[], bool]) -> None:
        """Work until it is time to stop and the bell rings."""
        while not is_stopping():
            try:
                if self.work(time.time(), is_stopping):
                    continue
                next_due = self._store.next_due()
                seconds = None if next_due is None else max(0.0, next_due - time.time())
            except Exception as error:  # noqa: BLE001 - the edge: a thread that ends serves nobody any more
                log.error("subscriptions cannot be served", error=type(error).__name__, retry_in=PAUSES[0])
                seconds = PAUSES[0]
            self._bell.wait(seconds)

    def work(self, now: float, is_stopping: Callable[[], bool] = lambda: False) -> bool:
        """Hand out some of what was noted, and call each subscriber that is due; whether there was any."""
        noted = self._journal.read(AT_ONCE)
        if noted:
            self._hand_out(noted)
            self._journal.forget(noted[-1])
        self._store.expire(now)
        due = self._store.due(now)
        for one in due:
            if not is_stopping():
                self._serve(one)
        return bool(noted or due)

    def _hand_out(self, noted: Sequence[Noted]) -> None:
        """Let each subscriber be told of what fulfils its criteria."""
        for one in self._store.served():
            news = (n for n in noted if n.resource_type == one.resource_type and n.sequence > one.since)
            ids = list(dict.fromkeys(n.resource_id for n in news))
            try:
                matched = matching(self._resources, one, ids) if ids else []
            except (StorageFailed, OutOfSpace):  # of all, and not of these criteria
                raise
            except Exception as error:  # noqa: BLE001 - the edge: one subscriber may not hold up the others
                why = str(error) if isinstance(error, RequestFault) else type(error).__name__
                self._store.turn_off(one, f"its criteria cannot be answered: {why}")
            else:
                self._store.tell(one, one.resource_type, matched)

    def _serve(self, one: Subscription) -> None:
        if not is_allowed(one.endpoint, self._allowed):
            self._store.turn_off(one, NOT_ALLOWED)
            return
        told = None if one.status is Status.REQUESTED else self._store.next(one)
        try:
            self._call(one, told)
        except CallFailed as error:
            self._fail(one, told, str(error), error.is_refused)
        except ArchiveError:
            raise
        except Exception as error:  # noqa: BLE001 - the edge: one subscriber may not hold up the others
            self._fail(one, told, type(error).__name__, False)
        else:
            self._store.done(one, told)

    def _call(self, one: Subscription, told: Notification | None) -> None:
        if told is None:
            self._hook.greet(one)
            return
        try:
            now = self._resources.read(told.resource_type, told.resource_id, one.addresses)
        except NotFound:  # gone meanwhile: of that nobody is told (R4 2.46)
            return
        self._hook.notify(one, now)

    def _fail(self, one: Subscription, told: Notification | None, reason: str, is_refused: bool) -> None:
        attempts = one.attempts + 1
        pause = PAUSES[min(one.attempts, len(PAUSES) - 1)]
        is_last = attempts >= (len(PAUSES) if is_refused else MOST_ATTEMPTS)
        log.warning(
            "subscriber not told",
            subscription=one.subscription_id,
            reason=reason,
            attempt=attempts,
            retry_in=None if is_last else pause,
        )
        if not is_last:
            self._store.put_off(one, reason, time.time() + pause, attempts >= FAILING)
        elif is_refused and told is not None:
            self._store.put_aside(one, told, reason)
        else:
            self._store.turn_off(one, reason)
