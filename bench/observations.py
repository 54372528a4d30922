"""A million Observations as rows of the kept resources: mapping and storing as many reports takes an hour."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Table, create_engine, text

from bench.million import write_rows
from fhir_api.resource_table import resource, search_pair, search_value
from fhir_api.search_rows import search_pairs, search_values
from fhir_api.spans import of_moment
from fhir_api.store import prepare
from sr.fhir_json import dumps, loads

OBSERVATIONS = 1_000_000
BATCH = 20_000  # Observations written at once
PATIENTS, CODES = 20_000, 20
FIRST_DAY, DAYS = date(2016, 1, 1), 3_650

_ROOT = "1.2.826.0.1.3680043.8.498.9003"
_CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"
_DCM = "http://dicom.nema.org/resources/ontology/DCM"
_SNOMED = "http://snomed.info/sct"


def patient(number: int) -> str:
    """The id of the Patient of Observation `number`, from 0. A patient has fifty."""
    return f"{number % PATIENTS:064x}"


def code(number: int) -> str:
    """The code of Observation `number`. Of each there are two or three of a patient."""
    return str(103_339_001 + number // PATIENTS % CODES)


def day(number: int) -> str:
    """The date of Observation `number`, YYYY-MM-DD."""
    return str(FIRST_DAY + timedelta(days=number * 48_271 % DAYS))


def fill(url: str, observations: int = OBSERVATIONS) -> None:
    """Write Observations 0 to `observations` into new tables; their indexes at the end, which is faster."""
    prepare(url)
    engine = create_engine(url)
    indexes = [*resource.indexes, *search_value.indexes, *search_pair.indexes]
    with engine.connect() as connection:
        for index in indexes:
            index.drop(connection)
        for start in range(0, observations, BATCH):
            rows = _rows(range(start, min(start + BATCH, observations)))
            for table, of_table in rows.items():
                write_rows(connection, table, of_table)
            connection.commit()
        for index in indexes:
            index.create(connection)
        connection.commit()
        if engine.dialect.name == "postgresql":  # as its own vacuum would soon
            connection.execute(text("ANALYZE"))
            connection.commit()
    engine.dispose()


def _rows(numbers: Sequence[int]) -> Mapping[Table, list[dict[str, Any]]]:
    rows: dict[Table, list[dict[str, Any]]] = {resource: [], search_value: [], search_pair: []}
    now = time.time()
    for number in numbers:
        marks = _marks(number)
        rows[resource].append(
            {"key": number + 1, "type": "Observation", "id": marks["@id"]}
            | {"content": _marked(_CONTENT, marks).encode(), "digest": f"{number:064x}"}
            | {"version": 1, "last_updated": now}
        )
        rows[search_value] += _said(_VALUES, number, marks)
        rows[search_pair] += _said(_PAIRS, number, marks)
    return rows


def _marks(number: int) -> dict[str, str]:
    """What stands in the place of the marks of `_OBSERVATION`."""
    return {
        "@id": f"{number * 2_654_435_761 % (1 << 32):032x}",
        "@report": f"{_ROOT}.{number // 10}.1",
        "@study": f"{_ROOT}.{number // 10}",
        "@item": f"1.{number % 10}",
        "@patient": patient(number),
        "@code": code(number),
        _DAY: day(number),
    }


def _said(
    rows: Sequence[Mapping[str, Any]], number: int, marks: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """What is searched of an Observation: that of `_OBSERVATION`, its marks replaced."""
    moment = of_moment(marks[_DAY])
    for row in rows:
        value = row["value"]
        said = {**row, "resource_key": number + 1, "value": _marked(value, marks) if "@" in value else value}
        if row["name"] == "date" and moment is not None:
            said |= moment._asdict()
        yield said


def _marked(text: str, marks: Mapping[str, str]) -> str:
    for mark, value in marks.items():
        text = text.replace(mark, value)
    return text


_DAY = "1900-01-01"
# A measurement as the mapping gives it, but for its place in the body, its device and its order.
_OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "@id",
    "meta": {"versionId": "1", "lastUpdated": "2026-11-27T10:00:00.000Z"},
    "identifier": [{"system": "urn:x-dicom:content-item", "value": "@report#@item"}],
    "partOf": [{"reference": "ImagingStudy/@study", "type": "ImagingStudy"}],
    "status": "final",
    "category": [
        {"coding": [{"system": _CATEGORIES, "code": "imaging", "display": "Imaging"}]},
        {"coding": [{"system": _DCM, "code": "125007", "display": "Measurement Group"}]},
    ],
    "code": {"coding": [{"system": _SNOMED, "code": "@code", "display": "Long axis"}], "text": "Long axis"},
    "subject": {"reference": "Patient/@patient"},
    "effectiveDateTime": _DAY,
    "performer": [{"type": "Practitioner", "display": "Ilària Zanella"}],
    "valueQuantity": {"value": 11.9, "unit": "mm", "system": "http://unitsofmeasure.org", "code": "mm"},
    "derivedFrom": [{"reference": "DocumentReference/@report", "type": "DocumentReference"}],
}
_CONTENT = dumps(_OBSERVATION).decode()
_VALUES = search_values(loads(_CONTENT))
_PAIRS = search_pairs(loads(_CONTENT))
