"""Who is subscribed, what each is still to be told, and how that went so far."""

import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, or_, select, update

from fhir_api.answers import Addresses
from fhir_api.subscriptions.model import Status, Submitted, Subscription
from fhir_api.subscriptions.tables import metadata, notification, subscription
from pacs.index.engine import Transactions, connected, open_engine
from sr.fhir_json import dumps, loads

MOST = 100  # subscriptions
MOST_WAITING = 100_000  # resources that one may still have to be told of

_AT_ONCE = 400  # ids in one statement

_columns = subscription.c
_is_served = _columns.status != Status.OFF.value


class TooMany(Exception):
    """There are MOST subscriptions already."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A resource of which a subscriber is to be told."""

    key: int
    resource_type: str
    resource_id: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """How a subscription stands: resources that wait to be told, and that the subscriber refused."""

    subscription: Subscription
    waiting: int
    dead: int


class SubscriptionStore:
    """The subscriptions and their notifications. Made anew in each process; safe for threads."""

    def __init__(self, url: str) -> None:
        """url: of a database of its own, as SQLAlchemy writes it. Raises StorageFailed."""
        self._engine = open_engine(url)
        self._transactions = Transactions(self._engine)
        with self._transactions.begin() as connection:
            metadata.create_all(connection)

    def create(self, submitted: Submitted, addresses: Addresses, since: int) -> Subscription:
        """Keep a new one. since: the sequence of the change feed after which changes are told.

        Raises TooMany.
        """
        row = _values(submitted, addresses) | {"id": str(uuid.uuid4()), "version": 1, "since": since}
        with self._transactions.begin() as connection:
            if (connection.scalar(select(func.count()).select_from(subscription)) or 0) >= MOST:
                raise TooMany
            connection.execute(insert(subscription), row)
            return _read(connection, _columns.id == row["id"])[0]

    def update(self, before: Subscription, submitted: Submitted, addresses: Addresses, since: int) -> bool:
        """Put another in its place, unless it has changed meanwhile; whether it was.

        What waits, and what was refused, is told to the new one, if it is about the same.
        """
        same = _same(before)
        is_about_the_same = before.content["criteria"] == submitted.content["criteria"]
        values = _values(submitted, addresses) | {"version": before.version + 1}
        mine = notification.c.subscription_id == before.subscription_id
        with self._transactions.begin() as connection:
            kept = {"since": before.since if is_about_the_same and before.status is not Status.OFF else since}
            if connection.execute(update(subscription).where(same).values(values | kept)).rowcount == 0:
                return False
            if is_about_the_same:
                connection.execute(update(notification).where(mine).values(dead=False, error=""))
            else:
                connection.execute(delete(notification).where(mine))
        return True

    def delete(self, subscription_id: str) -> bool:
        """Forget one, and what it was to be told; whether it was there."""
        with self._transactions.begin() as connection:
            connection.execute(delete(notification).where(notification.c.subscription_id == subscription_id))
            gone = connection.execute(delete(subscription).where(_columns.id == subscription_id))
            return gone.rowcount > 0

    def read(self, subscription_id: str) -> Subscription | None:
        """One, or None."""
        with connected(self._engine) as connection:
            return next(iter(_read(connection, _columns.id == subscription_id)), None)

    def all(self) -> list[Subscription]:
        """All of them."""
        with connected(self._engine) as connection:
            return _read(connection, _columns.version > 0)

    def served(self) -> list[Subscription]:
        """All that are not off."""
        with connected(self._engine) as connection:
            return _read(connection, _is_served)

    def backlog(self) -> list[Backlog]:
        """How each stands."""
        grouped = select(notification.c.subscription_id, notification.c.dead, func.count()).group_by(
            notification.c.subscription_id, notification.c.dead
        )
        with connected(self._engine) as connection:
            counts = {(name, bool(dead)): number for name, dead, number in connection.execute(grouped)}
        return [
            Backlog(
                one, counts.get((one.subscription_id, False), 0), counts.get((one.subscription_id, True), 0)
            )
            for one in self.all()
        ]

    def begin_at(self, sequence: int, is_another_feed: bool) -> None:
        """Tell nobody of changes up to this sequence.

        is_another_feed: the change feed was made anew; what was noted of the one before means nothing.
        """
        all_of_them = _columns.version > 0
        earlier = all_of_them if is_another_feed else _columns.since < sequence
        with self._transactions.begin() as connection:
            connection.execute(update(subscription).where(earlier).values(since=sequence))

    def tell(self, one: Subscription, resource_type: str, ids: Sequence[str]) -> None:
        """Let a subscriber be told of resources."""
        mine = notification.c.subscription_id == one.subscription_id
        of_type = and_(mine, notification.c.type == resource_type)
        with self._transactions.begin() as connection:
            is_there = connection.scalar(select(_columns.id).where(_columns.id == one.subscription_id))
            if is_there is None:
                return
            for some in _chunks(ids):
                connection.execute(delete(notification).where(of_type, notification.c.id.in_(some)))
                rows = [{"type": resource_type, "id": name, "dead": False, "error": ""} for name in some]
                connection.execute(insert(notification), [r | _owner(one) for r in rows])
            waiting = connection.scalar(select(func.count()).select_from(notification).where(mine)) or 0
            if waiting > MOST_WAITING:
                _turn(connection, one, Status.OFF, f"more than {MOST_WAITING} resources wait to be told")

    def due(self, now: float) -> list[Subscription]:
        """Those that are to be called now, longest waiting first."""
        with connected(self._engine) as connection:
            return _read(connection, and_(_has_work(), _columns.due <= now))

    def next_due(self) -> float | None:
        """When something is to be done; None when nothing is."""
        with connected(self._engine) as connection:
            called = connection.scalar(select(func.min(_columns.due)).where(_has_work()))
            ends = connection.scalar(select(func.min(_columns.ends)).where(_is_served))
        return min((moment for moment in (called, ends) if moment is not None), default=None)

    def next(self, one: Subscription) -> Notification | None:
        """What this subscriber is to be told next."""
        waiting = and_(notification.c.subscription_id == one.subscription_id, ~notification.c.dead)
        rows = select(notification).where(waiting).order_by(notification.c.key).limit(1)
        with connected(self._engine) as connection:
            row = connection.execute(rows).one_or_none()
            return None if row is None else Notification(row.key, row.type, row.id)

    def done(self, one: Subscription, told: Notification | None) -> None:
        """A call succeeded: the handshake, or a notification, which is forgotten."""
        with self._transactions.begin() as connection:
            if told is not None:
                connection.execute(delete(notification).where(notification.c.key == told.key))
            if one.status is not Status.ACTIVE:
                _turn(connection, one, Status.ACTIVE, "")
            elif one.attempts:
                connection.execute(update(subscription).where(_same(one)).values(attempts=0))

    def put_aside(self, one: Subscription, refused: Notification, error: str) -> None:
        """The subscriber does not take this one: go on with the next."""
        with self._transactions.begin() as connection:
            mine = notification.c.key == refused.key
            connection.execute(update(notification).where(mine).values(dead=True, error=error))
            _turn(connection, one, Status.ACTIVE, f"{refused.resource_type}/{refused.resource_id}: {error}")

    def put_off(self, one: Subscription, error: str, until: float, is_failing: bool) -> None:
        """A call failed and is tried again. is_failing: so often that the status is to tell."""
        values: dict[str, Any] = {"attempts": one.attempts + 1, "due": until}
        with self._transactions.begin() as connection:
            if is_failing and error != one.error:
                status = Status.REQUESTED if one.status is Status.REQUESTED else Status.ERROR
                _turn(connection, one, status, error, **values)
            else:
                connection.execute(update(subscription).where(_same(one)).values(values))

    def turn_off(self, one: Subscription, error: str) -> None:
        """Call it no more. What waits is kept."""
        with self._transactions.begin() as connection:
            _turn(connection, one, Status.OFF, error)

    def expire(self, now: float) -> None:
        """Turn those off whose end is past, and forget what they were to be told."""
        past = and_(_is_served, _columns.ends <= now)
        with connected(self._engine) as connection:
            expired = _read(connection, past)
        for one in expired:
            with self._transactions.begin() as connection:
                if _turn(connection, one, Status.OFF, ""):
                    mine = notification.c.subscription_id == one.subscription_id
                    connection.execute(delete(notification).where(mine))

    def close(self) -> None:
        """Close all connections."""
        self._transactions.close()
        self._engine.dispose()


def _turn(connection: Connection, one: Subscription, status: Status, error: str, **others: Any) -> bool:
    """Another status, unless it has changed meanwhile; whether it has it now."""
    values: dict[str, Any] = {
        "status": status.value,
        "error": error,
        "version": one.version + 1,
        "attempts": 0,
    }
    values |= {"last_updated": time.time(), **others}
    return connection.execute(update(subscription).where(_same(one)).values(values)).rowcount > 0


def _values(submitted: Submitted, addresses: Addresses) -> dict[str, Any]:
    now = time.time()
    return {
        "last_updated": now,
        "status": submitted.status.value,
        "error": "",
        "content": dumps(submitted.content),
        "ends": submitted.ends,
        "fhir": addresses.fhir,
        "dicomweb": addresses.dicomweb,
        "attempts": 0,
        "due": now,
    }


def _same(one: Subscription) -> ColumnElement[bool]:
    return and_(_columns.id == one.subscription_id, _columns.version == one.version)


def _owner(one: Subscription) -> dict[str, str]:
    return {"subscription_id": one.subscription_id}


def _has_work() -> ColumnElement[bool]:
    waiting = and_(notification.c.subscription_id == _columns.id, ~notification.c.dead)
    is_told = select(notification.c.key).where(waiting).exists()
    return and_(_is_served, or_(_columns.status == Status.REQUESTED.value, is_told))


def _read(connection: Connection, where: ColumnElement[bool]) -> list[Subscription]:
    rows = connection.execute(select(subscription).where(where).order_by(_columns.due, _columns.id))
    return [_subscription(row) for row in rows]


def _subscription(row: Row[Any]) -> Subscription:
    return Subscription(
        row.id,
        row.version,
        row.last_updated,
        Status(row.status),
        row.error,
        loads(row.content),
        Addresses(row.fhir, row.dicomweb),
        row.since,
        row.attempts,
    )


def _chunks(ids: Sequence[str]) -> Iterator[list[str]]:
    remaining: Iterable[str] = iter(ids)
    while some := list(islice(remaining, _AT_ONCE)):
        yield some
