"""Looking up instances and series by their UIDs, and walking through all of them."""

from collections.abc import Iterator

from sqlalchemy import Engine, func, select

from pacs.index import schema
from pacs.index.engine import connected
from pacs.index.rows import instance_of
from pacs.model import Instance

PAGE = 500  # rows read at a time

_study, _series, _instance = schema.study, schema.series, schema.instance

joined = _instance.join(_series, _instance.c.series_key == _series.c.key).join(
    _study, _series.c.study_key == _study.c.key
)


def find_instances(
    engine: Engine, study: str, series: str | None, instance: str | None, limit: int | None = None
) -> list[Instance]:
    """The instances below these UIDs, by series number and instance number; at most so many of them."""
    found = (
        select(_study.c.study_instance_uid, _series.c.series_instance_uid, _instance)
        .select_from(joined)
        .where(_study.c.study_instance_uid == study)
        .order_by(*schema.instance_order)
        .limit(limit)
    )
    if series is not None:
        found = found.where(_series.c.series_instance_uid == series)
    if instance is not None:
        found = found.where(_instance.c.sop_instance_uid == instance)
    with connected(engine) as connection:
        return [instance_of(row) for row in connection.execute(found)]


def instances_by_uid(engine: Engine, uids: list[str]) -> dict[str, Instance]:
    """The instances with these SOP Instance UIDs, by them."""
    found = select(_study.c.study_instance_uid, _series.c.series_instance_uid, _instance)
    found = found.select_from(joined).where(_instance.c.sop_instance_uid.in_(uids))
    with connected(engine) as connection:
        return {row.sop_instance_uid: instance_of(row) for row in connection.execute(found)}


def series_versions(engine: Engine, study: str, series: str | None) -> list[tuple[str, int]]:
    """Each series below these UIDs with the sequence of its last change, in order of series number."""
    found = (
        select(_series.c.series_instance_uid, _series.c.version)
        .join(_study, _series.c.study_key == _study.c.key)
        .where(_study.c.study_instance_uid == study)
        .order_by(*schema.series_order)
    )
    if series is not None:
        found = found.where(_series.c.series_instance_uid == series)
    with connected(engine) as connection:
        return [(uid, version) for uid, version in connection.execute(found)]


def known_files(engine: Engine, keys: list[str]) -> set[str]:
    """Which of these keys of the file store belong to an instance, or did before it was deleted."""
    files = (_instance.c.file, schema.non_patient_instance.c.file, schema.recycled.c.file)
    with connected(engine) as connection:
        return {key for file in files for key in connection.scalars(select(file).where(file.in_(keys)))}


def walk(engine: Engine) -> Iterator[Instance]:
    """Every instance of a study in the order of its file's key, read in pages."""
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
        with connected(engine) as connection:
            page = [instance_of(row) for row in connection.execute(found)]
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].file


def newest_file(engine: Engine) -> str:
    """The greatest key of a file, empty when there is none."""
    files = (_instance.c.file, schema.non_patient_instance.c.file)
    with connected(engine) as connection:
        return max(connection.scalar(select(func.max(file))) or "" for file in files)


def count(engine: Engine) -> int:
    """The number of instances, those that belong to no patient among them."""
    tables = (_instance, schema.non_patient_instance)
    with connected(engine) as connection:
        return sum(connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables)
