"""Who is told of what (PS3.4 CC.2.3), and the telling (CC.2.4)."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence

from pacs.attributes import Key
from pacs.errors import NotFound
from pacs.index import Waiting, Worklists
from pacs.worklist import events
from pacs.worklist.filters import criteria_of, filter_of
from pacs.worklist.finding import found


class Subscriptions:
    """The subscriptions to work items and to the worklist (Table CC.2.3-2). Safe for threads."""

    def __init__(self, tables: Worklists, on_events: Callable[[], None]) -> None:
        """on_events: called when there is something to be told, or another channel to tell it through."""
        self._tables = tables
        self._on_events = on_events

    def subscribe(self, ae_title: str, uid: str, deletion_lock: bool) -> None:
        """Subscribe to one work item, and tell of its state. Raises NotFound."""
        with self._tables.changing() as rows:
            workitem = found(rows, uid)
            rows.subscriptions.put([workitem.key], ae_title, deletion_lock)
            rows.reports.add([ae_title], [events.state_report(uid, workitem.attributes)])
        self._on_events()

    def subscribe_to_worklist(
        self, ae_title: str, deletion_lock: bool, keys: Mapping[Key, Sequence[str]] | None = None
    ) -> None:
        """Subscribe to all work items, present and to come; with a lock, tell of the state of each.

        keys: to those alone that match them as they are made. None for all.
        There is one subscription to the worklist for each subscriber. Raises InvalidQuery.
        """
        kept = None if keys is None else filter_of(keys)
        criteria = criteria_of(kept)
        with self._tables.changing() as rows:
            rows.subscriptions.put_worklist(ae_title, deletion_lock, kept)
            for group in rows.workitems.without_subscription(ae_title, criteria):
                rows.subscriptions.put([workitem.key for workitem in group], ae_title, deletion_lock)
                if deletion_lock:
                    reports = [events.state_report(one.uid, one.attributes) for one in group]
                    rows.reports.add([ae_title], reports)
        self._on_events()

    def unsubscribe(self, ae_title: str, uid: str) -> None:
        """End the subscription to one work item. Raises NotFound when there is none."""
        with self._tables.changing() as rows:
            workitem = rows.workitems.find(uid)
            if workitem is None or not rows.subscriptions.remove(workitem.key, ae_title):
                raise _no_subscription()

    def unsubscribe_from_worklist(self, ae_title: str) -> None:
        """End all subscriptions, and forget what was still to be told. Raises NotFound if there are none."""
        with self._tables.changing() as rows:
            had_worklist = rows.subscriptions.remove_worklist(ae_title)
            if not rows.subscriptions.remove_all(ae_title) and not had_worklist:
                raise _no_subscription()
            rows.reports.remove_all(ae_title)

    def suspend(self, ae_title: str) -> None:
        """Subscribe to no more work items to come; those subscribed to stay so. Raises NotFound."""
        with self._tables.changing() as rows:
            if not rows.subscriptions.remove_worklist(ae_title):
                raise _no_subscription()

    def announce_restart(self, fallback: Iterable[str] = (), kept: bool = True) -> None:
        """Let all subscribers be told, and those of a list of their own, that the service began again.

        kept: with its work items and subscriptions. Who has still to be told that it began without them is
        told no more than that.
        """
        with self._tables.changing() as rows:
            ae_titles = {*rows.subscriptions.all_subscribers(), *fallback}
            if kept:
                ae_titles -= rows.reports.those_to_be_told(events.restarted(kept=False))
            rows.reports.replace(sorted(ae_titles), events.restarted(kept))

    def open_channel(self, ae_title: str) -> str:
        """Tell a subscriber through a new channel, and no more through an earlier one; returns its token."""
        token = secrets.token_hex(8)
        with self._tables.forgetting() as rows:
            rows.reports.open_channel(ae_title, token)
        self._on_events()
        return token

    def waiting(self, ae_title: str, token: str, limit: int) -> list[Waiting] | None:
        """What is to be told through a channel; None when another one has taken its place."""
        with self._tables.reading() as rows:
            is_current = rows.reports.channels([ae_title]).get(ae_title) == token
            return rows.reports.waiting(ae_title, limit) if is_current else None

    def with_news(self, channels: Mapping[str, str]) -> set[str]:
        """The tokens of those channels that have something to tell, or have been replaced.

        channels: AE titles by token.
        """
        ae_titles = set(channels.values())
        with self._tables.reading() as rows:
            current, waiters = rows.reports.channels(ae_titles), rows.reports.waiters(ae_titles)
        return {token for token, ae in channels.items() if ae in waiters or current.get(ae) != token}

    def told(self, ae_title: str, token: str, reports: Iterable[Waiting]) -> None:
        """Forget what was told through a channel. A power cut may have it told again."""
        with self._tables.forgetting() as rows:
            if rows.reports.channels([ae_title]).get(ae_title) == token:
                rows.reports.remove(report.key for report in reports)

    def close_channel(self, ae_title: str, token: str) -> None:
        """Tell nobody through a channel any more."""
        with self._tables.forgetting() as rows:
            rows.reports.close_channel(ae_title, token)


def _no_subscription() -> NotFound:
    return NotFound("there is no such subscription here")
