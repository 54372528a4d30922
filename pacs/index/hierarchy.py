"""Placing an object: its patient, study and series, found or made. Whose study it is, is decided here."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Table, delete, exists, insert, select, update

from pacs.attributes import columns, listed, stored_tags
from pacs.dataset.header import Header
from pacs.dataset.transfer_syntax import is_deflated
from pacs.index import schema
from pacs.index.rows import (
    SearchValue,
    dump,
    file_columns,
    instance_columns,
    patient_identity,
    search_columns,
    search_values,
)
from pacs.index.values import Values
from pacs.model import DicomJson, Instance, Level
from pacs.non_patient import CATEGORY_OF, MOST_VALUES
from pacs.time_zones import offset_of

# The keys of a series that lie in sequences, and these
_SEQUENCE_KEYS = [key for key in columns(Level.SERIES) if len(key.path) > 1]
_SEQUENCES = {key.json_key for key in _SEQUENCE_KEYS}
_LISTED_OF_STUDY, _LISTED_OF_SERIES = listed(Level.STUDY), listed(Level.SERIES)

study_values = Values(schema.study, schema.study_value)
series_values = Values(schema.series, schema.series_value)

_PATIENT_KEYS = [f"{tag:08X}" for tag in sorted(stored_tags(Level.PATIENT))]


class Record(NamedTuple):
    """One received object: what it says, and where its bytes lie, synced.

    owner: whose it says that it is.
    row: the columns of the instance, but for the key of its series; made before all writers wait for it.
    values: what it is found by when it belongs to no patient; None when it belongs to a study.
    """

    header: Header
    instance: Instance
    owner: "Owner"
    row: dict[str, Any]
    values: Sequence[SearchValue] | None = None

    @classmethod
    def of(
        cls,
        header: Header,
        transfer_syntax_uid: str,
        *,
        file: str,
        size: int,
        dataset_offset: int,
        digest: str,
    ) -> "Record":
        """The record of a file and of what was read of its data set. size, dataset_offset: bytes."""
        shift = 0 if is_deflated(transfer_syntax_uid) else dataset_offset
        instance = Instance(
            study_instance_uid=header.study_instance_uid,
            series_instance_uid=header.series_instance_uid,
            sop_instance_uid=header.sop_instance_uid,
            sop_class_uid=header.sop_class_uid,
            transfer_syntax_uid=transfer_syntax_uid,
            file=file,
            size=size,
            dataset_offset=dataset_offset,
            digest=digest,
            pixels=header.pixels and header.pixels._replace(offset=header.pixels.offset + shift),
        )
        owner = Owner(header.patient_id, header.issuer_of_patient_id)
        attributes = header.level(Level.INSTANCE)
        if header.is_non_patient:
            return cls(header, instance, owner, *_non_patient_row(instance, attributes))
        row = search_columns(attributes, Level.INSTANCE) | instance_columns(instance)
        row["attributes"] = dump(attributes)
        return cls(header, instance, owner, row)


def _non_patient_row(instance: Instance, attributes: DicomJson) -> tuple[dict[str, Any], list[SearchValue]]:
    """The columns of an instance that belongs to no patient, and what it is found by."""
    named = {"sop_instance_uid": instance.sop_instance_uid, "sop_class_uid": instance.sop_class_uid}
    row = named | file_columns(instance) | {"attributes": dump(attributes)}
    keys = CATEGORY_OF[instance.sop_class_uid].keys.values()
    return row, list(islice(search_values(attributes, keys), MOST_VALUES))


class Owner(NamedTuple):
    """Patient ID and its issuer, each empty when unknown."""

    patient_id: str
    issuer: str

    def contradicts(self, other: "Owner") -> bool:
        """Whether both name a patient, and not the same; an issuer that one leaves out contradicts none."""
        if not self.patient_id or not other.patient_id:
            return False
        if self.patient_id != other.patient_id:
            return True
        return bool(self.issuer and other.issuer) and self.issuer != other.issuer

    def lacks(self, other: "Owner") -> bool:
        """Whether the other names what this leaves open, and contradicts nothing."""
        if not other.patient_id or self.contradicts(other):
            return False
        return not self.patient_id or bool(other.issuer and not self.issuer)


@dataclass(slots=True)
class PlacedSeries:
    """A series of the index, with what decides whether an object may join it."""

    key: int
    study_key: int
    owner: Owner
    sop_class_uids: set[str]


def place(connection: Connection, record: Record) -> PlacedSeries | None:
    """The series that this record belongs to, made with its study and patient when new.

    None when the study belongs to another patient.
    """
    study_key, owner = _study(connection, record)
    owner = agree(connection, record, study_key, owner)
    if owner.contradicts(record.owner):
        return None
    uid = record.instance.series_instance_uid
    return _find_series(connection, study_key, owner, uid) or _insert_series(
        connection, study_key, owner, record
    )


def agree(connection: Connection, record: Record, study_key: int, owner: Owner) -> Owner:
    """Whose study it is once this record is heard.

    A study without a Patient ID, or without its issuer, takes the first that is named.
    """
    if not owner.lacks(record.owner):
        return owner
    table = schema.study
    row = connection.execute(select(table).where(table.c.key == study_key)).one()
    if not _owner_of(row).lacks(record.owner):
        return _owner_of(row)
    patient = record.header.level(Level.PATIENT)
    study = orjson.loads(row.attributes)
    values = _patient_columns(connection, patient, row.study_instance_uid) | {
        "attributes": dump(study | patient),
        "changed": time.time(),
    }
    connection.execute(update(table).where(table.c.key == study_key), values)
    _forget_without_studies(connection, row.patient_key)
    return record.owner


def restate(connection: Connection, record: Record, study_key: int, series_key: int) -> None:
    """Let a study and a series say what an object of theirs says that took the place of another.

    What it leaves out stays: not every object says all that is known of its study.
    """
    study, series = schema.study, schema.series
    row = connection.execute(select(study).where(study.c.key == study_key)).one()
    header = record.header
    kept = _restated(row.attributes, header.level(Level.PATIENT) | header.level(Level.STUDY))
    if kept is not None:
        patient = {key: kept[key] for key in _PATIENT_KEYS if key in kept}
        values = _patient_columns(connection, patient, row.study_instance_uid)
        values |= _study_columns(kept) | {"attributes": dump(kept)}
        connection.execute(update(study).where(study.c.key == study_key), values)
        _forget_without_studies(connection, row.patient_key)
        study_values.write(connection, study_key, search_values(kept, _LISTED_OF_STUDY))
    row = connection.execute(select(series).where(series.c.key == series_key)).one()
    kept = _restated(row.attributes, header.level(Level.SERIES))
    if kept is not None:
        values = search_columns(kept, Level.SERIES) | {"attributes": dump(kept)}
        connection.execute(update(series).where(series.c.key == series_key), values)
        series_values.write(connection, series_key, _values_of_series(kept))


def _restated(kept: bytes, said: DicomJson) -> DicomJson | None:
    """What is kept with what was said since; None where that changes nothing."""
    before: DicomJson = orjson.loads(kept)
    after = before | {key: element for key, element in said.items() if "Value" in element}
    return None if after == before else dict(sorted(after.items()))


def bereave(connection: Connection, patient_key: int) -> None:
    """Bring a patient who lost a study up to the newest one that is left; one without studies goes."""
    _forget_without_studies(connection, patient_key)
    table = schema.study
    left = select(table).where(table.c.patient_key == patient_key).order_by(table.c.key.desc())
    newest = connection.execute(left.limit(1)).first()
    if newest is not None:
        kept = orjson.loads(newest.attributes)
        patient = {key: kept[key] for key in _PATIENT_KEYS if key in kept}
        _patient_columns(connection, patient, newest.study_instance_uid)


def _forget_without_studies(connection: Connection, patient_key: int) -> None:
    table = schema.patient
    studies = exists().where(schema.study.c.patient_key == table.c.key)
    connection.execute(delete(table).where(table.c.key == patient_key, ~studies))


def add_sop_classes(connection: Connection, series: PlacedSeries, more: set[str]) -> None:
    """Note SOP classes that a series did not have; other processes may have noted some meanwhile."""
    table = schema.series
    kept = connection.scalar(select(table.c.sop_class_uids).where(table.c.key == series.key)) or ""
    series.sop_class_uids = more.union(kept.split("\\"))
    classes = "\\".join(sorted(series.sop_class_uids))
    connection.execute(update(table).where(table.c.key == series.key).values(sop_class_uids=classes))


def _study(connection: Connection, record: Record) -> tuple[int, Owner]:
    table = schema.study
    uid = record.instance.study_instance_uid
    row = connection.execute(
        select(table.c.key, table.c.patient_id, table.c.issuer_of_patient_id).where(
            table.c.study_instance_uid == uid
        )
    ).first()
    return (row.key, _owner_of(row)) if row else (_insert_study(connection, record), record.owner)


def _owner_of(row: Any) -> Owner:
    return Owner(row.patient_id or "", row.issuer_of_patient_id or "")


def _insert_study(connection: Connection, record: Record) -> int:
    patient, study = record.header.level(Level.PATIENT), record.header.level(Level.STUDY)
    row = _patient_columns(connection, patient, record.instance.study_instance_uid)
    row |= _study_columns(study) | {"attributes": dump(patient | study), "changed": time.time()}
    key = _insert_row(connection, schema.study, row)
    study_values.add(connection, key, search_values(study, _LISTED_OF_STUDY))
    return key


def _study_columns(attributes: DicomJson) -> dict[str, Any]:
    return search_columns(attributes, Level.STUDY) | {"timezone_offset": offset_of(attributes)}


def _patient_columns(connection: Connection, patient: DicomJson, study_instance_uid: str) -> dict[str, Any]:
    """What a study's row keeps of its patient, whose own row is made or brought up to this newest study."""
    table = schema.patient
    identity = patient_identity(patient, study_instance_uid)
    columns = search_columns(patient, Level.PATIENT) | {"identity": identity}
    row = columns | {"attributes": dump(patient), "changed": time.time()}
    key = connection.scalar(select(table.c.key).where(table.c.identity == identity))
    if key is None:
        key = _insert_row(connection, table, row)
    else:
        connection.execute(update(table).where(table.c.key == key), row)
    return columns | {"patient_key": key}


def _find_series(connection: Connection, study_key: int, owner: Owner, uid: str) -> PlacedSeries | None:
    table = schema.series
    row = connection.execute(
        select(table.c.key, table.c.sop_class_uids).where(
            table.c.study_key == study_key, table.c.series_instance_uid == uid
        )
    ).first()
    return row and PlacedSeries(row.key, study_key, owner, set(row.sop_class_uids.split("\\")))


def _insert_series(connection: Connection, study_key: int, owner: Owner, record: Record) -> PlacedSeries:
    attributes = record.header.level(Level.SERIES)
    row = search_columns(attributes, Level.SERIES) | {
        "study_key": study_key,
        "attributes": dump(attributes),
        "number_of_instances": 0,
        "sop_class_uids": record.instance.sop_class_uid,
        "version": 0,
    }
    key = _insert_row(connection, schema.series, row)
    series_values.add(connection, key, _values_of_series(attributes))
    return PlacedSeries(key, study_key, owner, {record.instance.sop_class_uid})


def _values_of_series(attributes: DicomJson) -> Iterator[SearchValue]:
    """What a series is found by, besides its columns."""
    keys = _LISTED_OF_SERIES
    if any(len(attributes.get(sequence, {}).get("Value", ())) > 1 for sequence in _SEQUENCES):
        keys = keys + _SEQUENCE_KEYS
    return search_values(attributes, keys)


def _insert_row(connection: Connection, table: Table, row: dict[str, Any]) -> int:
    key: int = connection.execute(insert(table).returning(table.c.key), row).scalar_one()
    return key
