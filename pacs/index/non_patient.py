"""The rows of instances that belong to no patient, and searching them."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, Row, insert, select

from pacs.index import schema
from pacs.index.engine import connected
from pacs.index.rows import SearchValue
from pacs.index.values import Criteria, Values
from pacs.model import DicomJson, Instance

GROUP = 500  # rows read at a time

_table = schema.non_patient_instance
_values = Values(_table, schema.non_patient_instance_value)


class NonPatientInstances:
    """Reads them. Safe for threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def by_uid(self, uids: Collection[str]) -> dict[str, Instance]:
        """Those with these SOP Instance UIDs, by them; a thousand at most at once."""
        found = select(_table).where(_table.c.sop_instance_uid.in_(uids))
        with connected(self._engine) as connection:
            return {row.sop_instance_uid: _instance_of(row) for row in connection.execute(found)}

    def search(
        self, sop_classes: Collection[str], criteria: Criteria, limit: int | None, offset: int
    ) -> Iterator[DicomJson]:
        """What is kept of those of these classes that fulfil all criteria, the oldest first."""
        of_classes = select(_table.c.attributes).where(_table.c.sop_class_uid.in_(sop_classes))
        found = _values.matching(of_classes, criteria).order_by(_table.c.key).limit(limit).offset(offset)
        with connected(self._engine) as connection:
            rows = connection.execute(found)
            while page := rows.fetchmany(GROUP):
                yield from (orjson.loads(attributes) for (attributes,) in page)

    def walk(self) -> Iterator[Instance]:
        """Every one, in the order of its file's key, read in pages."""
        after = ""
        while True:
            found = select(_table).where(_table.c.file > after).order_by(_table.c.file).limit(GROUP)
            with connected(self._engine) as connection:
                page = [_instance_of(row) for row in connection.execute(found)]
            yield from page
            if len(page) < GROUP:
                return
            after = page[-1].file


def insert_row(connection: Connection, row: dict[str, Any], values: Iterable[SearchValue]) -> None:
    """Write a new one."""
    key = connection.execute(insert(_table).returning(_table.c.key), row).scalar_one()
    _values.write(connection, key, values)


def _instance_of(row: Row[Any]) -> Instance:
    return Instance(
        study_instance_uid="",
        series_instance_uid="",
        sop_instance_uid=row.sop_instance_uid,
        sop_class_uid=row.sop_class_uid,
        transfer_syntax_uid=row.transfer_syntax_uid,
        file=row.file,
        size=row.size,
        dataset_offset=row.dataset_offset,
        digest=row.digest,
        pixels=None,
    )
