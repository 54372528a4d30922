"""Finding: from rows to answers."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, Row, func, select

from pacs.index import schema
from pacs.index.compile import statement
from pacs.index.rows import instance_of
from pacs.model import DicomJson, Found, Instance, Level
from pacs.query import Query

PAGE = 500  # rows joined at a time

_study, _series, _instance = schema.study, schema.series, schema.instance


def search(engine: Engine, query: Query) -> Iterator[Found]:
    """All answers in order, read in pages so that memory stays flat. The iterator may be left early."""
    with engine.connect() as connection:
        rows = connection.execution_options(yield_per=PAGE).execute(statement(query))
        for page in rows.partitions(PAGE):
            yield from _ANSWERS[query.level](connection, page)


def find_instances(engine: Engine, study: str, series: str | None, instance: str | None) -> list[Instance]:
    """The instances below these UIDs, by series number and instance number."""
    joined = _instance.join(_series, _instance.c.series_key == _series.c.key)
    joined = joined.join(_study, _series.c.study_key == _study.c.key)
    found = (
        select(_study.c.study_instance_uid, _series.c.series_instance_uid, _instance)
        .select_from(joined)
        .where(_study.c.study_instance_uid == study)
        .order_by(_series.c.series_number, _series.c.key, _instance.c.instance_number, _instance.c.key)
    )
    if series is not None:
        found = found.where(_series.c.series_instance_uid == series)
    if instance is not None:
        found = found.where(_instance.c.sop_instance_uid == instance)
    with engine.connect() as connection:
        return [instance_of(row) for row in connection.execute(found)]


def series_versions(engine: Engine, study: str, series: str | None) -> list[tuple[str, int]]:
    """Each series below these UIDs with the sequence of its last change, in order of series number."""
    found = (
        select(_series.c.series_instance_uid, _series.c.version)
        .join(_study, _series.c.study_key == _study.c.key)
        .where(_study.c.study_instance_uid == study)
        .order_by(_series.c.series_number, _series.c.key)
    )
    if series is not None:
        found = found.where(_series.c.series_instance_uid == series)
    with engine.connect() as connection:
        return [(uid, version) for uid, version in connection.execute(found)]


def _patients(connection: Connection, page: Sequence[Row[Any]]) -> Iterator[Found]:
    totals = _patient_totals(connection, [row.key for row in page])
    for row in page:
        yield Found(row.identity, orjson.loads(row.attributes) | totals[row.key])


def _studies(connection: Connection, page: Sequence[Row[Any]]) -> Iterator[Found]:
    totals = _study_totals(connection, [row.key for row in page])
    for row in page:
        yield Found(row.identity, orjson.loads(row.attributes) | totals.get(row.key, {}))


def _series_or_instances(connection: Connection, page: Sequence[Row[Any]]) -> Iterator[Found]:
    totals = _study_totals(connection, list({row.study_key for row in page}))
    above: dict[tuple[int, bytes], DicomJson] = {}
    for row in page:
        place = row.study_key, row.series_attributes
        if place not in above:
            above[place] = (
                orjson.loads(row.attributes)
                | totals[row.study_key]
                | orjson.loads(row.series_attributes)
                | _count("00201209", row.number_of_instances)
            )
        yield Found(row.identity, above[place] | _of_instance(row))


def _of_instance(row: Row[Any]) -> DicomJson:
    attributes = row._mapping.get("instance_attributes")
    if attributes is None:
        return {}
    syntax = {"vr": "UI", "Value": [row.transfer_syntax_uid]}
    here = {"00083002": syntax, "00080056": {"vr": "CS", "Value": ["ONLINE"]}}
    loaded: DicomJson = orjson.loads(attributes)
    return loaded | here


_ANSWERS = {
    Level.PATIENT: _patients,
    Level.STUDY: _studies,
    Level.SERIES: _series_or_instances,
    Level.INSTANCE: _series_or_instances,
}


def _study_totals(connection: Connection, keys: list[int]) -> dict[int, DicomJson]:
    """What is counted for each study, from the rows of its series."""
    columns = _series.c
    rows = connection.execute(
        select(columns.study_key, columns.modality, columns.sop_class_uids, columns.number_of_instances)
        .where(columns.study_key.in_(keys))
        .order_by(columns.study_key)
    )
    by_study: dict[int, list[Any]] = {key: [] for key in keys}
    for row in rows:
        by_study[row.study_key].append(row)
    return {key: _totals(series) for key, series in by_study.items()}


def _totals(series: list[Any]) -> DicomJson:
    modalities = sorted({row.modality for row in series if row.modality})
    classes = sorted({uid for row in series for uid in row.sop_class_uids.split("\\")})
    return {
        "00080061": {"vr": "CS", "Value": modalities} if modalities else {"vr": "CS"},
        "00080062": {"vr": "UI", "Value": classes} if classes else {"vr": "UI"},
        **_count("00201206", len(series)),
        **_count("00201208", sum(row.number_of_instances for row in series)),
    }


def _patient_totals(connection: Connection, keys: list[int]) -> dict[int, DicomJson]:
    rows = connection.execute(
        select(
            _study.c.patient_key,
            func.count(_study.c.key.distinct()).label("studies"),
            func.count(_series.c.key).label("series"),
            func.sum(_series.c.number_of_instances).label("instances"),
        )
        .join(_series, _series.c.study_key == _study.c.key)
        .where(_study.c.patient_key.in_(keys))
        .group_by(_study.c.patient_key)
    )
    none: dict[int, DicomJson] = {key: {} for key in keys}
    return none | {
        row.patient_key: _count("00201200", row.studies)
        | _count("00201202", row.series)
        | _count("00201204", row.instances)
        for row in rows
    }


def _count(key: str, number: int) -> DicomJson:
    return {key: {"vr": "IS", "Value": [number]}}


def known_files(engine: Engine, keys: list[str]) -> set[str]:
    """Which of these keys of the file store belong to an instance."""
    with engine.connect() as connection:
        return set(connection.scalars(select(_instance.c.file).where(_instance.c.file.in_(keys))))


def walk(engine: Engine) -> Iterator[Instance]:
    """Every instance in the order of its file's key, read in pages."""
    after = ""
    while True:
        found = (
            select(_study.c.study_instance_uid, _series.c.series_instance_uid, _instance)
            .join(_series, _instance.c.series_key == _series.c.key)
            .join(_study, _series.c.study_key == _study.c.key)
            .where(_instance.c.file > after)
            .order_by(_instance.c.file)
            .limit(PAGE)
        )
        with engine.connect() as connection:
            page = [instance_of(row) for row in connection.execute(found)]
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].file


def newest_file(engine: Engine) -> str:
    """The greatest key of a file, empty when there is none."""
    with engine.connect() as connection:
        return connection.scalar(select(func.max(_instance.c.file))) or ""


def count(engine: Engine) -> int:
    """The number of instances."""
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(_instance)) or 0
