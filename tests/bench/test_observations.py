"""The Observations that are made as rows are found like those that reports became."""

from pathlib import Path

from bench import observations
from fhir_api.conditions import Window
from fhir_api.search_request import Chain, parse_search
from fhir_api.store import ResourceStore
from pacs.index import sqlite_url
from sr.fhir_json import loads

COUNT = 40


def test_each_is_found_by_patient_code_and_date(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "fhir.sqlite")
    observations.fill(url, COUNT)
    store = ResourceStore(url)
    for number in range(0, COUNT, 7):
        asked = {
            "patient": observations.patient(number),
            "code": observations.code(number),
            "date": observations.day(number),
            "value-quantity": "11.9||mm",
        }
        request = parse_search("Observation", asked.items(), "http://archive.example/fhir", True)
        conditions = [one for one in request.conditions if not isinstance(one, Chain)]
        (found,) = store.page("Observation", conditions, Window(0, 10, ()))
        told = loads(found.content)
        assert told["subject"] == {"reference": f"Patient/{observations.patient(number)}"}
        assert told["effectiveDateTime"] == observations.day(number)
        assert store.count("Observation", conditions) == 1
    store.close()
