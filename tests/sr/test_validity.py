"""What reports become is valid for engines of others (FHIR R4), and these do see what is not."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from sr.fhir_json import dumps, loads
from sr.mapping import map_report
from testdata.cad_report import cad_report
from testdata.contrast_report import performed_contrast, planned_contrast
from testdata.ct import ct_series
from testdata.dose_report import dose_report
from testdata.echo_report import echo_report, simplified_echo_report
from testdata.fetal_report import fetal_report
from testdata.hemodynamics_report import hemodynamics_report
from testdata.key_objects import key_objects
from testdata.long_dose_report import long_dose_report
from testdata.manifest import manifest
from testdata.measurement_report import measurement_report
from testdata.patient_dose_report import patient_dose_report
from testdata.pdf import encapsulated_pdf
from testdata.pelvis_report import pelvis_report
from testdata.pregnancy_report import pregnancy_report
from testdata.procedure_log import procedure_log
from testdata.vascular_report import vascular_report
from testdata.written_report import heart_report, text_report
from tests.sr.builders import IDENTITY
from tests.sr.files import lean, reports_of_corpus, reports_of_pydicom, written
from tests.validators import Validators

pytestmark = pytest.mark.xdist_group("validators")

CT = ct_series(slices=24, rows=32, columns=32)
RECIPES: dict[str, Callable[[], Dataset]] = {
    "measurements": lambda: measurement_report(CT),
    "dose": dose_report,
    "long dose": lambda: long_dose_report(5),
    "key objects": lambda: key_objects(CT),
    "a manifest": lambda: manifest([*CT, key_objects(CT)]),
    "marks of a program": cad_report,
    "vessels": vascular_report,
    "a document": encapsulated_pdf,
    "doses to organs": patient_dose_report,
    "heart": echo_report,
    "heart, simplified": simplified_echo_report,
    "twins": fetal_report,
    "pregnancy": pregnancy_report,
    "pelvis": pelvis_report,
    "log": procedure_log,
    "pressures": hemodynamics_report,
    "contrast, planned": planned_contrast,
    "contrast, given": performed_contrast,
    "prose": text_report,
    "headings of its own": heart_report,
}


@pytest.mark.parametrize("name", RECIPES)
def test_our_reports(validators: Validators, name: str) -> None:
    mapped = map_report(lean(written(RECIPES[name]())), IDENTITY, with_events=True)
    assert validators.faults(mapped.resources) == []


@pytest.mark.parametrize("path", [*reports_of_pydicom(), *reports_of_corpus()], ids=lambda path: path.stem)
def test_reports_of_others(validators: Validators, path: Path) -> None:
    mapped = map_report(lean(path.read_bytes()), IDENTITY)
    assert validators.faults(mapped.resources) == []


def _no_member_of_its_type(one: dict[str, Any]) -> None:
    one["colour"] = "red"


def _nothing_said_of_what(one: dict[str, Any]) -> None:
    del one["code"]


def _no_status(one: dict[str, Any]) -> None:
    one["status"] = "done"


def _no_date(one: dict[str, Any]) -> None:
    one["effectiveDateTime"] = "1.3.2026"


def _two_values(one: dict[str, Any]) -> None:
    one["valueString"] = "five"


def _a_value_and_the_reason_why_there_is_none(one: dict[str, Any]) -> None:
    one["dataAbsentReason"] = {"text": "unknown"}


def _measured_by_a_study(one: dict[str, Any]) -> None:
    one["device"] = {"reference": "ImagingStudy/1"}


def _an_id_of_too_many_characters(one: dict[str, Any]) -> None:
    one["id"] = "1" * 65


def _no_id(one: dict[str, Any]) -> None:
    one["id"] = "a_b"


@pytest.mark.parametrize(
    "spoil",
    [
        _no_member_of_its_type,
        _nothing_said_of_what,
        _no_status,
        _no_date,
        _two_values,
        _a_value_and_the_reason_why_there_is_none,
        _measured_by_a_study,
        _an_id_of_too_many_characters,
        _no_id,
    ],
)
def test_they_see_what_is_wrong(validators: Validators, spoil: Callable[[dict[str, Any]], None]) -> None:
    mapped = map_report(lean(written(measurement_report(CT))), IDENTITY)
    measured = next(one for one in mapped.resources if isinstance(_value(one), Decimal))
    resource = loads(dumps(measured))
    assert validators.faults([resource]) == []
    spoil(resource)
    assert validators.faults([resource]) != []


def test_they_see_a_reference_that_leads_nowhere_in_its_document(validators: Validators) -> None:
    mapped = map_report(lean(written(manifest(CT))), IDENTITY)
    document = loads(dumps(next(one for one in mapped.resources if one["resourceType"] == "Bundle")))
    assert validators.faults([document]) == []
    document["entry"] = [one for one in document["entry"] if one["resource"]["resourceType"] != "Patient"]
    assert validators.faults([document]) != []


def _value(resource: dict[str, Any]) -> object:
    return resource.get("valueQuantity", {}).get("value")
