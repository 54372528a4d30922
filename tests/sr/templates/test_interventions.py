"""What was done and measured in interventions (PS3.16 TID 3001, 3500, 11001, 11020), and what was planned."""

from typing import Any

import pytest
from pydicom.uid import PerformedImagingAgentAdministrationSRStorage

from sr.mapping import Mapped
from testdata.contrast_report import performed_contrast, planned_contrast
from testdata.hemodynamics_report import hemodynamics_report
from testdata.procedure_log import procedure_log
from tests.sr.builders import LENGTH, SECTION, Triple, container, num, report
from tests.sr.templates.told import mapped_of, measured, of_type, said

VOLUME: Triple = ("118565006", "SCT", "Volume")
ML: Triple = ("mL", "UCUM", "mL")


@pytest.fixture(scope="module")
def log() -> Mapped:
    return mapped_of(procedure_log())


@pytest.fixture(scope="module")
def pressures() -> Mapped:
    return mapped_of(hemodynamics_report())


def entry(log: Mapped, name: str) -> dict[str, Any]:
    (found,) = (one for one in of_type(log, "Observation") if one["code"]["text"] == name)
    return found


def reasons(mapped: Mapped) -> dict[str, str]:
    return {one.concept.meaning: one.reason for one in mapped.unmapped if one.concept}


def test_the_entries_of_a_log_are_told_each_with_its_time(log: Mapped) -> None:
    whole = entry(log, "Cath Lab Procedure Log")
    entries = [one for one in of_type(log, "Observation") if one is not whole]
    assert [(one["code"]["text"], one["effectiveDateTime"][11:16]) for one in entries] == [
        ("Patient Status or Event", "10:02"),
        ("Patient Status or Event", "10:03"),
        ("Drug administered", "10:05"),
        ("Device used", "10:06"),
        ("Systolic blood pressure", "10:07"),
        ("Tech Note", "10:08"),
        ("Complication of Procedure", "10:09"),
    ]
    members = [one["reference"] for one in whole["hasMember"]]
    assert members == [f"Observation/{one['id']}" for one in entries]


def test_a_log_is_a_document_and_no_report_of_findings(log: Mapped) -> None:
    (document,) = of_type(log, "DocumentReference")
    assert document["type"]["text"] == "Cath Lab Procedure Log"
    assert of_type(log, "DiagnosticReport") == []


def test_staff_equipment_and_stock_are_not_of_the_patient(log: Mapped) -> None:
    names = {
        "Personnel Arrived",
        "Equipment ready",
        "Consumable taken from inventory",
        "Quantity of Material",
    }
    reason = "it tells of staff, equipment or stock, not of the patient"
    assert reasons(log) == dict.fromkeys(names, reason)


def test_a_drug_has_its_dose_its_route_and_who_gave_it(log: Mapped) -> None:
    drug = entry(log, "Drug administered")
    assert drug["valueCodeableConcept"]["text"] == "Eparina"
    assert said(drug)["Undiluted dose administered"] == "5000 international unit"
    assert "Intravenous route" in said(drug).values()
    assert [one["display"] for one in drug["performer"]] == ["Noè Cantù"]
    assert drug["note"] == [{"text": "Bolo."}]


def test_a_device_is_told_with_where_it_was_used(log: Mapped) -> None:
    device = entry(log, "Device used")
    assert device["bodySite"]["text"] == "Coronary artery"
    assert said(device) == {"Diameter": "3.0 mm"}
    assert [one["display"] for one in device["performer"]] == ["Giosuè Fornasier"]


@pytest.mark.parametrize(
    ("name", "code", "site", "phase", "state"),
    [
        ("Systolic pressure 128", "8480-6", "Aorta", "baseline phase", "Resting State"),
        ("Diastolic pressure 74", "8462-4", "Aorta", "baseline phase", "Resting State"),
        (
            "Ventricular End Diastolic pressure 14",
            "122191",
            "Left ventricle",
            "baseline phase",
            "Resting State",
        ),
        ("Systolic pressure 171", "8480-6", "Aorta", "Exercise challenge", "Exercise state"),
    ],
)
def test_a_pressure_is_of_its_site_in_its_phase(
    pressures: Mapped, name: str, code: str, site: str, phase: str, state: str
) -> None:
    found = measured(pressures)[name]
    assert found["code"]["coding"][0]["code"] == code
    assert found["valueQuantity"]["code"] == "mm[Hg]"
    assert found["bodySite"]["text"] == site
    assert said(found)["Catheterization Procedure Phase"].endswith(phase)
    assert said(found)["Patient State"] == state


def test_patient_and_room_are_no_findings(pressures: Mapped) -> None:
    assert reasons(pressures) == {
        "Body Weight": "it tells of the patient, not of a finding",
        "Room temperature": "it tells of the room, not of the patient",
    }


def test_numbers_of_the_acquisition_are_told_in_words_with_what_was_acquired() -> None:
    context = container(SECTION, num(VOLUME, "62", ML), rel="HAS ACQ CONTEXT")
    found = measured(mapped_of(report(container(SECTION, context, num(LENGTH, "9")))))
    assert found.keys() == {"Length 9"}
    assert said(found["Length 9"]) == {"Volume": "62 mL"}


def test_what_was_planned_is_a_document_and_nothing_of_it_was_given() -> None:
    mapped = mapped_of(planned_contrast())
    assert {one["resourceType"] for one in mapped.resources}.isdisjoint({"Observation", "DiagnosticReport"})
    assert set(reasons(mapped).values()) == {"a plan is told as a document; nothing of it was found or done"}
    assert "Volume administered" in reasons(mapped)


def test_what_was_given_is_told_and_no_report_of_findings() -> None:
    mapped = mapped_of(performed_contrast())
    assert measured(mapped).keys() == {"Volume administered 62", "Rate of administration 3.1"}
    assert {one["status"] for one in of_type(mapped, "Observation")} == {"final"}
    assert of_type(mapped, "DiagnosticReport") == []
    assert reasons(mapped).keys() == {
        "Body Weight",
        "Imaging Agent Administration Consumable Type",
        "Quantity of Material",
    }


def test_what_was_planned_is_not_taken_for_what_was_given() -> None:
    dataset = report(
        container(("130226", "DCM", "Planned Imaging Agent Administration"), num(VOLUME, "100", ML)),
        container(("130227", "DCM", "Performed Imaging Agent Administration"), num(VOLUME, "62", ML)),
        SOPClassUID=PerformedImagingAgentAdministrationSRStorage,
    )
    mapped = mapped_of(dataset)
    assert measured(mapped).keys() == {"Volume 62"}
    assert [one.position for one in mapped.unmapped] == ["1.1.1"]
