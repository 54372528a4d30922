"""The rules by which objects are sent on, and what each has asked to be sent."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, delete, exists, func, insert, literal, null, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from pacs.index import schema
from pacs.index.engine import Transactions, connected, open_engine
from pacs.index.lookup import joined
from pacs.index.outbox import CANCELED, WARNINGS, insert_request
from pacs.index.rows import instance_of
from pacs.model import ForwardRule, Instance

_rule, _forwarded, _made = schema.forward_rule, schema.forwarded, schema.forward_request
_request, _item, _task = schema.send_request, schema.send_item, schema.task
_study, _series, _instance = schema.study, schema.series, schema.instance

_GROUP = 500  # UIDs looked up at a time

_COLUMNS = tuple(_rule.c[name] for name in ForwardRule._fields)


class Progress(NamedTuple):
    """How the sending for a rule stands: of instances that were asked for in the last 30 days.

    due: when it is tried next, in seconds since 1970; None when nothing waits.
    error: why the last attempt was broken off, empty when it was not.
    """

    waiting: int
    sent: int
    failed: int
    due: float | None
    error: str


class Forwarding:
    """The rules. Safe for threads and processes."""

    def __init__(self, engine: Engine, transactions: Transactions) -> None:
        self._engine = engine
        self._transactions = transactions
        self._insert = postgresql_insert if engine.dialect.name == "postgresql" else sqlite_insert

    def add(self, rule: ForwardRule, also_stored: str | None = None) -> bool:
        """Follow a rule from now on; False when there is one of its name.

        also_stored: the follower that is to look at every series that is there already; None for what is new.
        """
        newest = select(func.coalesce(func.max(_instance.c.key), 0)).scalar_subquery()
        values = rule._asdict() | {"keys": json.dumps(rule.keys).encode()}
        del values["key"]
        with self._transactions.begin() as connection:
            if connection.scalar(select(_rule.c.key).where(_rule.c.name == rule.name)) is not None:
                return False
            since = newest if also_stored is None else 0
            connection.execute(insert(_rule).values(values | {"since": since}))
            if also_stored is not None:
                self._look_at_all(connection, also_stored)
        return True

    def _look_at_all(self, connection: Connection, follower: str) -> None:
        """Make a task of each series: in one statement, so that none is left out however this ends."""
        names = ["follower", "study_instance_uid", "series_instance_uid", "sop_instance_uid"]
        state = ["sequence", "due", "attempts", "dead", "error"]
        rows = select(
            *(literal(follower), _study.c.study_instance_uid, _series.c.series_instance_uid, literal("")),
            *(_series.c.version, literal(0.0), literal(0), literal(False), literal("")),
        ).join_from(_series, _study, _series.c.study_key == _study.c.key)
        tasks = self._insert(_task).from_select(names + state, rows.where(literal(True)))
        # One that is running now is another one by its sequence, and so is run again
        again = {"due": 0.0, "dead": False, "sequence": -1 - _task.c.sequence}
        connection.execute(tasks.on_conflict_do_update(index_elements=names, set_=again))

    def remove(self, name: str) -> bool:
        """Follow a rule no more, and send no more of what it asked for; whether there was one."""
        with self._transactions.begin() as connection:
            key = connection.scalar(select(_rule.c.key).where(_rule.c.name == name))
            if key is None:
                return False
            mine = select(_made.c.transaction_uid).where(_made.c.rule_key == key)
            unsent = _item.c.transaction_uid.in_(mine) & _item.c.status.is_(None)
            connection.execute(update(_item).where(unsent).values(status=CANCELED))
            connection.execute(
                update(_request).where(_request.c.transaction_uid.in_(mine)).values(due=null())
            )
            for table in (_made, _forwarded):
                connection.execute(delete(table).where(table.c.rule_key == key))
            connection.execute(delete(_rule).where(_rule.c.key == key))
        return True

    def renumber(self, url: str) -> None:
        """Rules were taken over from another index: let old for them be what was old there.

        url: of the other index, in which instances have other keys.
        """
        other = open_engine(url)
        try:
            with connected(other) as old, self._transactions.begin() as new:
                for key, since in old.execute(select(_rule.c.key, _rule.c.since)).all():
                    before = old.scalars(select(_instance.c.sop_instance_uid).where(_instance.c.key <= since))
                    newest = select(func.max(_instance.c.key))
                    keys = [
                        new.scalar(newest.where(_instance.c.sop_instance_uid.in_(uids))) or 0
                        for uids in before.partitions(_GROUP)
                    ]
                    new.execute(update(_rule).where(_rule.c.key == key).values(since=max(keys, default=0)))
        finally:
            other.dispose()

    def pause(self, name: str, is_paused: bool) -> bool:
        """Let what it asks for wait, or go on; whether there is such a rule."""
        change = update(_rule).where(_rule.c.name == name).values(is_paused=is_paused)
        with self._transactions.begin() as connection:
            return connection.execute(change).rowcount > 0

    def rules(self) -> list[ForwardRule]:
        """All of them, by name."""
        with connected(self._engine) as connection:
            return [_of(row) for row in connection.execute(select(*_COLUMNS).order_by(_rule.c.name))]

    def rule_of(self, transaction_uid: str) -> ForwardRule | None:
        """The rule that has made a request to send; None for one that was asked for otherwise."""
        found = select(*_COLUMNS).join(_made, _made.c.rule_key == _rule.c.key)
        with connected(self._engine) as connection:
            row = connection.execute(found.where(_made.c.transaction_uid == transaction_uid)).first()
        return None if row is None else _of(row)

    def unasked(self, rule: ForwardRule, study: str, series: str) -> list[Instance]:
        """The instances of a series that came after the rule, and that it has not asked to be sent yet."""
        mine = exists().where(
            _forwarded.c.rule_key == rule.key,
            _forwarded.c.sop_instance_uid == _instance.c.sop_instance_uid,
        )
        since = select(_rule.c.since).where(_rule.c.key == rule.key).scalar_subquery()
        found = (
            select(_study.c.study_instance_uid, _series.c.series_instance_uid, _instance)
            .select_from(joined)
            .where(_study.c.study_instance_uid == study, _series.c.series_instance_uid == series)
            .where(_instance.c.key > since, ~mine)
            .order_by(*schema.instance_order)
        )
        with connected(self._engine) as connection:
            return [instance_of(row) for row in connection.execute(found)]

    def ask(self, rule: ForwardRule, transaction_uid: str, instances: Sequence[Instance], due: float) -> None:
        """Ask for instances to be sent, once for each rule, durably; all of them or none.

        due: when it is tried first, in seconds since 1970.
        A rule that is there no longer asks for nothing.
        """
        note = [{"rule_key": rule.key, "sop_instance_uid": one.sop_instance_uid} for one in instances]
        with self._transactions.begin() as connection:
            if connection.scalar(select(_rule.c.key).where(_rule.c.key == rule.key)) is None:
                return
            connection.execute(insert(_forwarded), note)
            insert_request(connection, transaction_uid, rule.destination, instances, due)
            made = {"transaction_uid": transaction_uid, "rule_key": rule.key}
            connection.execute(insert(_made).values(made))

    def progress(self, rule: ForwardRule) -> Progress:
        """How its sending stands."""
        of_it = _made.c.rule_key == rule.key
        counted = (
            select(_item.c.status, func.count())
            .join(_made, _made.c.transaction_uid == _item.c.transaction_uid)
            .where(of_it)
            .group_by(_item.c.status)
        )
        requests = select(_request.c.due, _request.c.error).join(
            _made, _made.c.transaction_uid == _request.c.transaction_uid
        )
        waits = of_it, _request.c.due.is_not(None)
        with connected(self._engine) as connection:
            counts = {row[0]: row[1] for row in connection.execute(counted)}
            first = connection.execute(requests.where(*waits).order_by(_request.c.due).limit(1)).first()
            broken = requests.where(*waits, _request.c.error != "").limit(1)
            error = connection.execute(broken).first()
        sent = sum(counts.get(status, 0) for status in (0, *WARNINGS))
        waiting = counts.get(None, 0)
        failed = sum(counts.values()) - sent - waiting
        return Progress(waiting, sent, failed, first and first.due, error.error if error else "")


def _of(row: Any) -> ForwardRule:
    values = dict(row._mapping)
    return ForwardRule(**values | {"keys": tuple(map(tuple, json.loads(values["keys"])))})
