"""The rows of subscriptions to work items, and of what subscribers have still to be told."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, delete, insert, select

from pacs.index import schema
from pacs.model import DicomJson

# The path of a key, such as "00741202", and its values as they were given
Filter = Sequence[tuple[str, Sequence[str]]]

MAX_REPORTS = 10_000  # that one subscriber is kept, who is away; the oldest go

_subscription, _worklist = schema.subscription, schema.worklist_subscription
_report, _channel = schema.event_report, schema.event_channel


class WorklistSubscription(NamedTuple):
    """Somebody who is subscribed to work items as they are made.  filter: None for all."""

    ae_title: str
    deletion_lock: bool
    filter: Filter | None


class Waiting(NamedTuple):
    """An event report that has not been told yet."""

    key: int
    report: bytes


class SubscriptionRows:
    """Subscriptions as one connection sees them; what it writes lasts when its transaction does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, workitem_keys: Sequence[int], ae_title: str, deletion_lock: bool) -> None:
        """Subscribe to work items, in place of earlier subscriptions to them."""
        self._connection.execute(
            delete(_subscription).where(
                _subscription.c.workitem_key.in_(workitem_keys), _subscription.c.ae_title == ae_title
            )
        )
        rows = [
            {"workitem_key": key, "ae_title": ae_title, "deletion_lock": deletion_lock}
            for key in workitem_keys
        ]
        self._connection.execute(insert(_subscription), rows)

    def remove(self, workitem_key: int, ae_title: str) -> bool:
        """End a subscription; whether there was one."""
        where = (_subscription.c.workitem_key == workitem_key, _subscription.c.ae_title == ae_title)
        return self._connection.execute(delete(_subscription).where(*where)).rowcount > 0

    def remove_all(self, ae_title: str) -> bool:
        """End all subscriptions of a subscriber to single work items; whether there were any."""
        where = _subscription.c.ae_title == ae_title
        return self._connection.execute(delete(_subscription).where(where)).rowcount > 0

    def subscribers(self, workitem_key: int) -> list[str]:
        """The AE titles of those who are told of a work item."""
        found = select(_subscription.c.ae_title).where(_subscription.c.workitem_key == workitem_key)
        return list(self._connection.scalars(found.order_by(_subscription.c.ae_title)))

    def all_subscribers(self) -> list[str]:
        """The AE titles of all who have any subscription."""
        found = select(_subscription.c.ae_title).union(select(_worklist.c.ae_title))
        return sorted(self._connection.scalars(found))

    def put_worklist(self, ae_title: str, deletion_lock: bool, filter_: Filter | None) -> None:
        """Subscribe to the work items to come, in place of an earlier such subscription."""
        self.remove_worklist(ae_title)
        content = b"" if filter_ is None else orjson.dumps(filter_)
        row = {"ae_title": ae_title, "deletion_lock": deletion_lock, "filter": content}
        self._connection.execute(insert(_worklist).values(row))

    def remove_worklist(self, ae_title: str) -> bool:
        """End the subscription to work items to come; whether there was one."""
        return (
            self._connection.execute(delete(_worklist).where(_worklist.c.ae_title == ae_title)).rowcount > 0
        )

    def worklist(self) -> list[WorklistSubscription]:
        """The subscriptions to work items to come."""
        found = select(_worklist).order_by(_worklist.c.ae_title)
        return [
            WorklistSubscription(
                row.ae_title, row.deletion_lock, orjson.loads(row.filter) if row.filter else None
            )
            for row in self._connection.execute(found)
        ]


class ReportRows:
    """What is still to be told, and through which connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.has_new = False  # whether there is something to tell that was not there before

    def add(self, ae_titles: Iterable[str], reports: Iterable[DicomJson]) -> None:
        """Let subscribers be told. Of whoever has more waiting than MAX_REPORTS the oldest go."""
        contents = [orjson.dumps(report) for report in reports]
        for ae_title in ae_titles:
            rows = [{"ae_title": ae_title, "report": content} for content in contents]
            if rows:
                self._connection.execute(insert(_report), rows)
                self.has_new = True
            too_old = (
                select(_report.c.key)
                .where(_report.c.ae_title == ae_title)
                .order_by(_report.c.key.desc())
                .offset(MAX_REPORTS)
                .limit(1)
            )
            if (last := self._connection.scalar(too_old)) is not None:
                self._connection.execute(
                    delete(_report).where(_report.c.ae_title == ae_title, _report.c.key <= last)
                )

    def replace(self, ae_titles: Iterable[str], report: DicomJson) -> None:
        """Let subscribers be told once of what they may have to be told already."""
        ae_titles = list(ae_titles)
        is_same = _report.c.ae_title.in_(ae_titles) & (_report.c.report == orjson.dumps(report))
        self._connection.execute(delete(_report).where(is_same))
        self.add(ae_titles, [report])

    def those_to_be_told(self, report: DicomJson) -> set[str]:
        """The AE titles of those who have this still to be told."""
        found = select(_report.c.ae_title).where(_report.c.report == orjson.dumps(report))
        return set(self._connection.scalars(found))

    def waiting(self, ae_title: str, limit: int) -> list[Waiting]:
        """What a subscriber has still to be told, oldest first."""
        found = select(_report.c.key, _report.c.report).where(_report.c.ae_title == ae_title)
        rows = self._connection.execute(found.order_by(_report.c.key).limit(limit))
        return [Waiting(row.key, row.report) for row in rows]

    def remove(self, keys: Iterable[int]) -> None:
        """Forget what was told."""
        self._connection.execute(delete(_report).where(_report.c.key.in_(list(keys))))

    def remove_all(self, ae_title: str) -> None:
        """Forget all that a subscriber has still to be told."""
        self._connection.execute(delete(_report).where(_report.c.ae_title == ae_title))

    def open_channel(self, ae_title: str, token: str) -> None:
        """Let this connection be the one through which a subscriber is told from now on."""
        self._connection.execute(delete(_channel).where(_channel.c.ae_title == ae_title))
        self._connection.execute(insert(_channel).values(ae_title=ae_title, token=token))

    def close_channel(self, ae_title: str, token: str) -> None:
        """Forget a connection, unless another was opened after it."""
        where = (_channel.c.ae_title == ae_title, _channel.c.token == token)
        self._connection.execute(delete(_channel).where(*where))

    def channels(self, ae_titles: Iterable[str]) -> dict[str, str]:
        """Of each subscriber the token of the connection that was opened last, where there was one."""
        found = select(_channel.c.ae_title, _channel.c.token).where(_channel.c.ae_title.in_(list(ae_titles)))
        return {row.ae_title: row.token for row in self._connection.execute(found)}

    def waiters(self, ae_titles: Iterable[str]) -> set[str]:
        """Those subscribers who have still to be told something."""
        found = select(_report.c.ae_title).where(_report.c.ae_title.in_(list(ae_titles))).distinct()
        return set(self._connection.scalars(found))
