"""Finding: from rows to answers, read in pages so that memory stays flat."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import orjson
from sqlalchemy import BindParameter, Engine, bindparam, func, select
from sqlalchemy.engine.interfaces import DBAPICursor

from pacs.index import schema
from pacs.index.compile import Shape, shape_of, statement
from pacs.index.engine import Prepared, connected, reading
from pacs.index.trigrams import Trigrams
from pacs.model import DicomJson, Found, Kept, Level
from pacs.query import Criterion, OneOf, Query

PAGE = 500  # rows joined at a time

KNOWN_SHAPES = 256  # kinds of queries whose statement is kept
KNOWN_INSTANCES = 4096  # instances whose attributes stay decoded, about 4 KB each: a viewer asks again
LONGEST_KNOWN = 4096  # bytes of attributes; longer ones are decoded each time

_study, _series, _instance = schema.study, schema.series, schema.instance

FEW = 16  # studies that are found in the time that another thread takes to wake

# Keys of a study with an index, of which a value mostly leads to few
_LEADING = frozenset({"PatientID", "AccessionNumber", "StudyInstanceUID"})

Row = tuple[Any, ...]


class Search:
    """Answers queries. One for each process; safe for threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_local = engine.dialect.name == "sqlite"
        self._trigrams = Trigrams(engine)
        self._statement = lru_cache(KNOWN_SHAPES)(self._prepare)
        self._statement_of_kept = lru_cache(KNOWN_SHAPES)(self._prepare_kept)
        self._known_instance = lru_cache(KNOWN_INSTANCES)(_decode)
        self._study_totals = lru_cache(PAGE)(self._prepare_study_totals)
        self._series_above = lru_cache(PAGE)(self._prepare_series_above)
        self._patient_totals = lru_cache(PAGE)(self._prepare_patient_totals)
        self._beyond_few = lru_cache(len(_LEADING))(self._prepare_beyond_few)

    def _prepare(self, shape: Shape) -> Prepared:
        return Prepared(statement(shape), self._engine)

    def _prepare_kept(self, shape: Shape) -> Prepared:
        """What `kept` tells, in the order of its members."""
        columns = (
            _study.c.study_instance_uid,
            _series.c.series_instance_uid,
            _instance.c.sop_instance_uid,
            _instance.c.instance_number,
            _instance.c.attributes,
        )
        return Prepared(
            statement(shape).with_only_columns(*columns, maintain_column_froms=True), self._engine
        )

    def _prepare_study_totals(self, number: int) -> Prepared:
        """Of so many studies, what their series count."""
        keys: list[BindParameter[int]] = [bindparam(f"k{at}") for at in range(number)]
        columns = _series.c
        return Prepared(
            select(
                columns.study_key, columns.modality, columns.sop_class_uids, columns.number_of_instances
            ).where(columns.study_key.in_(keys)),
            self._engine,
        )

    def _prepare_series_above(self, number: int) -> Prepared:
        """Of so many series, what is kept of them and of their studies."""
        keys: list[BindParameter[int]] = [bindparam(f"k{at}") for at in range(number)]
        columns = _series.c
        return Prepared(
            select(
                columns.key,
                _study.c.key,
                _study.c.attributes,
                columns.attributes,
                columns.number_of_instances,
            )
            .join(_study, columns.study_key == _study.c.key)
            .where(columns.key.in_(keys)),
            self._engine,
        )

    def _prepare_patient_totals(self, number: int) -> Prepared:
        """Of so many patients, what their studies count."""
        keys: list[BindParameter[int]] = [bindparam(f"k{at}") for at in range(number)]
        return Prepared(
            select(
                _study.c.patient_key,
                func.count(_study.c.key.distinct()),
                func.count(_series.c.key),
                func.sum(_series.c.number_of_instances),
            )
            .join(_series, _series.c.study_key == _study.c.key)
            .where(_study.c.patient_key.in_(keys))
            .group_by(_study.c.patient_key),
            self._engine,
        )

    def _prepare_beyond_few(self, column: str) -> Prepared:
        """Whether more than FEW studies have a value in this column."""
        having = select(_study.c.key).where(_study.c[column] == bindparam("value"))
        return Prepared(having.limit(1).offset(FEW), self._engine)

    def _shape_of(self, query: Query) -> tuple[Shape, dict[str, Any]]:
        narrow = partial(self._trigrams.narrow, min(query.level, Level.STUDY))
        return shape_of(query, self._offsets() if query.moments else (), narrow)

    def _offsets(self) -> list[int]:
        """The offsets from UTC that studies state: few, each found in the index behind the one before."""
        column, offsets = _study.c.timezone_offset, []
        with connected(self._engine) as connection:
            found = connection.scalar(select(func.min(column)))
            while found is not None:
                offsets.append(found)
                found = connection.scalar(select(func.min(column)).where(column > found))
        return offsets

    def count(self, query: Query) -> int:
        """How many answers there are, whatever the limit and the offset."""
        shape, parameters = self._shape_of(replace(query, limit=None, offset=0))
        counted = statement(shape).order_by(None).with_only_columns(func.count(), maintain_column_froms=True)
        with connected(self._engine) as connection:
            return connection.scalar(counted, parameters) or 0

    def search(self, query: Query) -> Iterator[Found]:
        """All answers in order. The iterator may be left early."""
        shape, parameters = self._shape_of(query)
        with reading(self._engine) as connection:
            cursor = self._statement(shape).run(connection.cursor(), [parameters])
            while page := cursor.fetchmany(PAGE):
                keys = list({row[1]: None for row in page})
                totals = self._totals(connection.cursor(), query.level, keys)
                if query.level <= Level.STUDY:
                    yield from _whole(page, totals)
                else:
                    above = self._above(connection.cursor(), list({row[2]: None for row in page}), totals)
                    yield from self._parts(page, above)

    def few(self, query: Query) -> list[Found] | None:
        """All answers of a search for studies, if an index on this machine leads to FEW studies at most.

        None otherwise. It takes a fraction of a millisecond either way, where the index is in memory.
        """
        is_direct = self._is_local and query.level is Level.STUDY
        if not is_direct or not any(map(self._leads_to_few, query.criteria)):
            return None
        return list(self.search(query))

    def _leads_to_few(self, criterion: Criterion) -> bool:
        """Whether at most FEW studies fulfil this one; a number that all share would lead to all."""
        attribute, condition = criterion.attribute, criterion.condition
        if attribute.keyword not in _LEADING or not isinstance(condition, OneOf) or len(condition.values) > 1:
            return False
        (value,) = condition.values
        with reading(self._engine) as connection:
            beyond = self._beyond_few(attribute.column).run(connection.cursor(), [{"value": value}])
            return beyond.fetchone() is None

    def kept(self, query: Query) -> Iterator[Kept]:
        """What is kept of the instances that a query finds, in its order. The iterator may be left early."""
        shape, parameters = self._shape_of(query)
        with reading(self._engine) as connection:
            cursor = self._statement_of_kept(shape).run(connection.cursor(), [parameters])
            while page := cursor.fetchmany(PAGE):
                yield from map(Kept._make, page)

    def _above(
        self, cursor: DBAPICursor, series: list[int], totals: dict[int, DicomJson]
    ) -> dict[int, tuple[DicomJson, DicomJson]]:
        """The study level and the series level of each series."""
        values = [{f"k{at}": key for at, key in enumerate(series)}]
        return {
            key: (
                orjson.loads(study_attributes) | totals[study],
                orjson.loads(series_attributes) | {"00201209": _count(number)},
            )
            for key, study, study_attributes, series_attributes, number in self._series_above(len(series))
            .run(cursor, values)
            .fetchall()
        }

    def _totals(self, cursor: DBAPICursor, level: Level, keys: list[int]) -> dict[int, DicomJson]:
        """What is counted for each patient or study."""
        values = [{f"k{at}": key for at, key in enumerate(keys)}]
        if level is Level.PATIENT:
            rows = self._patient_totals(len(keys)).run(cursor, values).fetchall()
            none: dict[int, DicomJson] = {key: {} for key in keys}
            return none | {row[0]: _of_patient(*row[1:]) for row in rows}
        by_study: dict[int, list[Row]] = {key: [] for key in keys}
        for row in self._study_totals(len(keys)).run(cursor, values).fetchall():
            by_study[row[0]].append(row)
        return {key: _of_series(series) for key, series in by_study.items()}

    def _parts(self, page: Sequence[Row], above: dict[int, tuple[DicomJson, DicomJson]]) -> Iterator[Found]:
        """Series, or instances: those of one series share what is above them."""
        for identity, _, series, *instance in page:
            yield Found(identity, (*above[series], self._instance(*instance)) if instance else above[series])

    def _instance(self, attributes: bytes, transfer_syntax_uid: str) -> DicomJson:
        decode = self._known_instance if len(attributes) <= LONGEST_KNOWN else _decode
        return decode(attributes, transfer_syntax_uid)


def _whole(page: Sequence[Row], totals: dict[int, DicomJson]) -> Iterator[Found]:
    """Patients, or studies."""
    for identity, key, attributes, changed in page:
        yield Found(identity, (orjson.loads(attributes) | totals[key],), changed)


def _decode(attributes: bytes, transfer_syntax_uid: str) -> DicomJson:
    """What is kept of an instance, and what follows from where it is. It is shared: not to be changed."""
    loaded: DicomJson = orjson.loads(attributes)
    loaded["00083002"] = {"vr": "UI", "Value": [transfer_syntax_uid]}
    loaded["00080056"] = {"vr": "CS", "Value": ["ONLINE"]}
    return loaded


def _of_series(series: list[Row]) -> DicomJson:
    modalities = sorted({row[1] for row in series if row[1]})
    classes = sorted({uid for row in series for uid in row[2].split("\\")})
    return {
        "00080061": {"vr": "CS", "Value": modalities} if modalities else {"vr": "CS"},
        "00080062": {"vr": "UI", "Value": classes} if classes else {"vr": "UI"},
        "00201206": _count(len(series)),
        "00201208": _count(sum(row[3] for row in series)),
    }


def _of_patient(studies: int, series: int, instances: int) -> DicomJson:
    return {"00201200": _count(studies), "00201202": _count(series), "00201204": _count(instances)}


def _count(number: int) -> DicomJson:
    return {"vr": "IS", "Value": [number]}
