"""One report's resources put in the place of those it had become before."""

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from fhir_api import versions
from fhir_api.journal import note
from fhir_api.resource_table import Name, bearing, product, resource, search_pair, search_value, unmapped
from fhir_api.search_rows import search_pairs, search_values
from fhir_api.spans import instant
from sr.fhir_json import dumps
from sr.ledger import Unmapped

# A resource as the mapper gives it.
Made = dict[str, Any]


class Replacement:
    """What one report became, ready to be written."""

    def __init__(
        self, sop_instance_uid: str, resources: Sequence[Made], left_over: Sequence[Unmapped]
    ) -> None:
        self._sop_instance_uid = sop_instance_uid
        self._resources = {(r["resourceType"], r["id"]): r for r in resources}
        self._digests = {key: _digest(dumps(r)) for key, r in self._resources.items()}
        self._left_over = left_over
        self.digest = _digest("\n".join([*self._digests.values(), *map(repr, left_over)]).encode())

    def write(self, connection: Connection, sequence: int | None = None) -> None:
        """Write it in the transaction of this connection; the report's own row is there.

        sequence: of the change feed, to note what was made or changed; None to note nothing.
        """
        before = self._before(connection)
        now = time.time()
        kept = dict(_rows(connection, self._resources))
        new = versions.for_new(connection, [name for name in self._resources if name not in kept])
        after, changed = set(), []
        for name, made in self._resources.items():
            row = kept.get(name)
            if row is not None and row.digest == self._digests[name]:
                after.add(row.key)
                continue
            changed.append(name)
            if row is None:
                after.add(self._put(connection, made, None, new[name], now))
            else:
                versions.keep_past(connection, row.key)
                after.add(self._put(connection, made, row.key, row.version + 1, now))
        if sequence is not None:
            note(connection, sequence, changed)
        self._link(connection, before, after, now)
        self._leave_over(connection)

    def _before(self, connection: Connection) -> set[int]:
        """The keys of the resources that the report had become."""
        mine = product.c.sop_instance_uid == self._sop_instance_uid
        return set(connection.scalars(select(product.c.resource_key).where(mine)))

    def _put(self, connection: Connection, made: Made, key: int | None, version: int, now: float) -> int:
        """Insert the resource, or update its row; returns its key."""
        values = {
            "type": made["resourceType"],
            "id": made["id"],
            "content": dumps(_dated(made, version, now)),
            "digest": self._digests[made["resourceType"], made["id"]],
            "version": version,
            "last_updated": now,
        }
        if key is None:
            key = int(connection.execute(insert(resource).returning(resource.c.key), values).scalar_one())
        else:
            connection.execute(update(resource).where(resource.c.key == key).values(values))
            _forget_said(connection, key)
        for table, rows in ((search_value, search_values(made)), (search_pair, search_pairs(made))):
            if said := [{"resource_key": key, **row} for row in rows]:
                connection.execute(insert(table), said)
        return key

    def _link(self, connection: Connection, before: set[int], after: set[int], now: float) -> None:
        """Note what the report became now; remove what no report becomes any more."""
        for key in before - after:
            connection.execute(
                delete(product).where(
                    product.c.sop_instance_uid == self._sop_instance_uid, product.c.resource_key == key
                )
            )
            if connection.scalar(select(product.c.resource_key).where(product.c.resource_key == key)) is None:
                _forget_said(connection, key)
                versions.withdraw(connection, key, now)
                connection.execute(delete(resource).where(resource.c.key == key))
        report = self._sop_instance_uid
        if rows := [{"sop_instance_uid": report, "resource_key": key} for key in sorted(after - before)]:
            connection.execute(insert(product), rows)

    def _leave_over(self, connection: Connection) -> None:
        connection.execute(delete(unmapped).where(unmapped.c.sop_instance_uid == self._sop_instance_uid))
        rows = [
            {
                "sop_instance_uid": self._sop_instance_uid,
                "position": one.position,
                "coding_scheme_designator": one.concept.scheme if one.concept else "",
                "code_value": one.concept.value if one.concept else "",
                "code_meaning": one.concept.meaning if one.concept else "",
                "reason": one.reason,
            }
            for one in self._left_over
        ]
        if rows:
            connection.execute(insert(unmapped), rows)


def _forget_said(connection: Connection, key: int) -> None:
    """Remove what a resource is found by."""
    for table in (search_value, search_pair):
        connection.execute(delete(table).where(table.c.resource_key == key))


def _rows(connection: Connection, names: Iterable[Name]) -> Iterator[tuple[Name, Any]]:
    columns = (resource.c[name] for name in ("type", "id", "key", "digest", "version"))
    found = select(*columns)
    for some in bearing(resource, names):
        for row in connection.execute(found.where(some)):
            yield (row.type, row.id), row


def _dated(made: Made, version: int, now: float) -> Made:
    """The resource with its version and date, which stand before the rest."""
    meta = {"versionId": str(version), "lastUpdated": instant(now), **made.get("meta", {})}
    return {"resourceType": made["resourceType"], "id": made["id"], "meta": meta} | {
        name: value for name, value in made.items() if name != "meta"
    }


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
