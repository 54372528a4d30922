"""The orders of reports (PS3.3 C.17.2): what identifies them, and what they ask for."""

from typing import Any

import pytest
from pydicom.dataset import Dataset

from sr.imaging_study import imaging_study
from sr.mapping import map_report
from sr.service_request import MOST
from tests.sr.builders import IDENTITY, LENGTH, OTHER_STUDY, STUDY, coded, num, report, reread
from tests.sr.fhir_rules import faults
from tests.sr.files import lean, written

CT = ("24627-2", "LN", "CT Chest")


def issued_by(oid: str) -> list[Dataset]:
    item = Dataset()
    item.UniversalEntityID, item.UniversalEntityIDType = oid, "ISO"
    return [item]


def request(**elements: Any) -> Dataset:
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item


def mapped(
    identity: str = IDENTITY, **elements: Any
) -> tuple[list[dict[str, Any]], tuple[dict[str, Any], ...]]:
    """The ServiceRequests of a report, and all that it became but the group of its root."""
    dataset = reread(report(num(LENGTH, "1"), **elements))
    resources = map_report(dataset, identity).resources
    assert map_report(lean(written(dataset)), identity).resources == resources
    assert faults(*resources) == []
    told = tuple(one for one in resources if "hasMember" not in one)
    return [one for one in told if one["resourceType"] == "ServiceRequest"], told


def based_on(resources: tuple[dict[str, Any], ...], kind: str) -> list[str]:
    (found,) = (one for one in resources if one["resourceType"] == kind)
    return [one.get("reference", "") for one in found.get("basedOn", [])]


def test_an_order_says_what_was_asked_for_by_whom_and_why() -> None:
    ((made,), resources) = mapped(
        AccessionNumber="A1",
        IssuerOfAccessionNumberSequence=issued_by("1.2.9"),
        ReferencedRequestSequence=[
            request(
                AccessionNumber="A1",
                StudyInstanceUID=STUDY,
                PlacerOrderNumberImagingServiceRequest="P1",
                OrderPlacerIdentifierSequence=issued_by("1.2.10"),
                FillerOrderNumberImagingServiceRequest="F1",
                RequestedProcedureDescription="CT of the chest",
                RequestedProcedureCodeSequence=[coded(CT)],
                ReasonForTheRequestedProcedure="Cough",
                ReasonForRequestedProcedureCodeSequence=[coded(("49727002", "SCT", "Cough"))],
                RequestingPhysician="Doe^Jane",
            )
        ],
    )
    told = [(i["type"]["coding"][0]["code"], i.get("system"), i["value"]) for i in made["identifier"]]
    assert told == [("ACSN", "urn:oid:1.2.9", "A1"), ("PLAC", "urn:oid:1.2.10", "P1"), ("FILL", None, "F1")]
    assert (made["status"], made["intent"]) == ("unknown", "order")
    assert made["code"]["coding"][0]["code"] == "24627-2"
    assert [one["text"] for one in made["reasonCode"]] == ["Cough", "Cough"]
    assert made["requester"]["display"] == "Jane Doe"
    assert made["subject"]["reference"] == f"Patient/{IDENTITY}"
    assert "requisition" not in made
    for kind in ("Observation", "DiagnosticReport"):
        (found,) = (one for one in resources if one["resourceType"] == kind)
        (reference,) = found["basedOn"]
        assert reference == {
            "reference": f"ServiceRequest/{made['id']}",
            "type": "ServiceRequest",
            "identifier": made["identifier"][0],
        }


def test_it_bears_the_identifier_by_which_the_study_names_its_order() -> None:
    number: dict[str, Any] = {"AccessionNumber": "A1", "IssuerOfAccessionNumberSequence": issued_by("1.2.9")}
    ((made,), _) = mapped(**number)
    study = request(StudyInstanceUID=STUDY, **number).to_json_dict()
    (named,) = imaging_study(study, [], {}, IDENTITY, None)["basedOn"]
    assert named == {"type": "ServiceRequest", "identifier": made["identifier"][0]}


def test_the_accession_number_of_the_report_is_an_order() -> None:
    ((made,), resources) = mapped(AccessionNumber="A1", ReferringPhysicianName="Poe^Bob")
    assert made["requester"]["display"] == "Bob Poe"
    assert "code" not in made
    assert based_on(resources, "Observation") == [f"ServiceRequest/{made['id']}"]


def test_procedures_of_one_accession_number_share_a_requisition() -> None:
    items = [request(AccessionNumber="A1", RequestedProcedureID=number) for number in ("1", "2")]
    made, resources = mapped(AccessionNumber="A1", ReferencedRequestSequence=items)
    assert len({one["id"] for one in made}) == 2
    assert [one["requisition"]["value"] for one in made] == ["A1", "A1"]
    assert all(one["identifier"] == [one["requisition"]] for one in made)
    assert len(based_on(resources, "DiagnosticReport")) == 2
    (one,), _ = mapped(AccessionNumber="A1", ReferencedRequestSequence=items[:1])
    assert one["id"] == made[0]["id"]
    twice, _ = mapped(AccessionNumber="A1", ReferencedRequestSequence=[items[0], items[0]])
    assert len(twice) == 1
    assert "requisition" not in twice[0]


def test_what_was_found_belongs_to_the_orders_of_its_own_study() -> None:
    items = [
        request(AccessionNumber=number, StudyInstanceUID=study)
        for number, study in (("A1", STUDY), ("A2", OTHER_STUDY))
    ]
    made, resources = mapped(ReferencedRequestSequence=items)
    one, other = (f"ServiceRequest/{order['id']}" for order in made)
    assert based_on(resources, "Observation") == [one]
    assert based_on(resources, "DiagnosticReport") == [one, other]


def test_a_request_without_a_number_takes_that_of_the_report() -> None:
    unnumbered = request(AccessionNumber="", RequestedProcedureDescription="right leg")
    ((made,), _) = mapped(AccessionNumber="A1", ReferencedRequestSequence=[unnumbered])
    assert (made["identifier"][0]["value"], made["code"]) == ("A1", {"text": "right leg"})
    ((made,), _) = mapped(AccessionNumber="A1", RequestAttributesSequence=[unnumbered])
    assert made["code"] == {"text": "right leg"}
    assert mapped(ReferencedRequestSequence=[unnumbered])[0] == []


def test_of_several_requests_none_takes_the_number_of_the_report() -> None:
    items = [request(AccessionNumber="A2"), request(RequestedProcedureDescription="right leg")]
    made, _ = mapped(AccessionNumber="A1", ReferencedRequestSequence=items)
    assert [(one["identifier"][0]["value"], one.get("code")) for one in made] == [("A2", None), ("A1", None)]


def test_the_issuer_in_the_header_holds_for_the_same_number_in_items() -> None:
    items = [request(AccessionNumber="A1", RequestedProcedureID=number) for number in ("1", "2")]
    made, _ = mapped(
        AccessionNumber="A1",
        IssuerOfAccessionNumberSequence=issued_by("1.2.9"),
        ReferencedRequestSequence=items,
    )
    assert {one["identifier"][0]["system"] for one in made} == {"urn:oid:1.2.9"}


def test_the_same_number_is_another_order_for_another_patient() -> None:
    ids = [mapped(identity, AccessionNumber="A1")[0][0]["id"] for identity in (IDENTITY, "f" * 64)]
    assert ids[0] != ids[1]


def test_without_a_patient_the_order_stays_a_number() -> None:
    made, resources = mapped("", AccessionNumber="A1")
    assert made == []
    (found,) = (one for one in resources if one["resourceType"] == "Observation")
    assert found["basedOn"][0]["identifier"]["value"] == "A1"
    assert "reference" not in found["basedOn"][0]


@pytest.mark.parametrize(
    "elements", [{}, {"AccessionNumber": " "}, {"ReferencedRequestSequence": [Dataset()]}]
)
def test_no_number_no_order(elements: dict[str, Any]) -> None:
    made, resources = mapped(**elements)
    assert made == []
    assert based_on(resources, "Observation") == []


def test_orders_beyond_all_reason_are_left_out() -> None:
    items = [request(AccessionNumber=f"A{number}") for number in range(MOST + 5)]
    made, resources = mapped(ReferencedRequestSequence=items)
    assert len(made) == len(based_on(resources, "Observation")) == MOST


def test_the_visit_is_told_by_all_that_was_found_in_it() -> None:
    _, resources = mapped(AdmissionID="V1", IssuerOfAdmissionIDSequence=issued_by("1.2.9"))
    by_type = {one["resourceType"]: one for one in resources}
    visit = by_type["Observation"]["encounter"]
    assert visit["type"] == "Encounter"
    assert (visit["identifier"]["system"], visit["identifier"]["value"]) == ("urn:oid:1.2.9", "V1")
    assert visit["identifier"]["type"]["coding"][0]["code"] == "VN"
    assert by_type["DiagnosticReport"]["encounter"] == visit
    assert by_type["DocumentReference"]["context"]["encounter"] == [visit]
    _, without = mapped()
    assert not any("encounter" in one for one in without)
