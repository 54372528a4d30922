from decimal import Decimal
from typing import Any

import pytest
from pydicom.dataset import Dataset

from sr.mapping import Mapped, map_report
from tests.sr.builders import (
    DERIVATION,
    DIAMETER,
    GROUP,
    IDENTITY,
    IMAGE,
    LATERALITY,
    LEFT,
    LENGTH,
    LUNG,
    MEAN,
    METHOD,
    MM,
    OTHER_STUDY,
    SITE,
    SOP,
    STUDY,
    by_reference,
    code,
    container,
    content,
    evidence,
    image,
    measurements,
    num,
    report,
    reread,
    text,
)
from tests.sr.fhir_rules import faults, observations, quantities

SCT = "http://snomed.info/sct"
DCM = "http://dicom.nema.org/resources/ontology/DCM"
FINDING = ("121071", "DCM", "Finding")
CATEGORY = ("276214006", "SCT", "Finding category")
NODULE = ("27925004", "SCT", "Nodule")
ABNORMAL = ("49755003", "SCT", "Morphologically Abnormal Structure")
TRACKING = ("112039", "DCM", "Tracking Identifier")
TRACKING_UID = ("112040", "DCM", "Tracking Unique Identifier")
QUALITATIVE = ("C0034375", "UMLS", "Qualitative Evaluations")
MARGIN = ("RID5972", "RADLEX", "Margin")
SMOOTH = ("RID5714", "RADLEX", "Smooth")
RIGHT = ("24028007", "SCT", "Right")
KIDNEY = ("64033007", "SCT", "Kidney")
DERIVED = ("126011", "DCM", "Derived Imaging Measurements")
MOD, OBS = "HAS CONCEPT MOD", "HAS OBS CONTEXT"


def _map(dataset: Dataset) -> tuple[Mapped, dict[str, dict[str, Any]]]:
    mapped = map_report(reread(dataset), IDENTITY)
    assert faults(*mapped.resources) == []
    return mapped, observations(mapped.resources)


def _group(*children: Dataset, **elements: Any) -> tuple[Mapped, dict[str, dict[str, Any]]]:
    """The resources of a report with one group, at 1.1.1."""
    return _map(measurements(container(GROUP, *children), **elements))


def _lung(*modifiers: Dataset) -> Dataset:
    return code(SITE, LUNG, *modifiers, rel=MOD)


def _references(observation: dict[str, Any], name: str) -> list[str]:
    return [reference["reference"] for reference in observation.get(name, [])]


def test_a_group_is_its_finding_and_has_its_measurements() -> None:
    mapped, made = _group(
        code(CATEGORY, ABNORMAL), code(FINDING, NODULE), num(DIAMETER, "10.0"), num(LENGTH, "4.20")
    )
    group, diameter, length = made["1.1.1"], made["1.1.1.3"], made["1.1.1.4"]
    assert group["code"]["coding"][0] == {"system": SCT, "code": ABNORMAL[0], "display": ABNORMAL[2]}
    assert group["valueCodeableConcept"]["text"] == "Nodule"
    assert {"system": DCM, "code": "125007", "display": "Measurement Group"} in [
        coding for category in group["category"] for coding in category["coding"]
    ]
    members = [f"Observation/{one['id']}" for one in (diameter, length)]
    assert _references(group, "hasMember") == members
    assert diameter["code"]["text"] == "Diameter"
    assert str(length["valueQuantity"]["value"]) == "4.20"
    assert length["valueQuantity"]["code"] == "mm"
    assert mapped.unmapped == ()


def test_every_observation_refers_to_its_study_report_patient_and_place() -> None:
    _, made = _group(num(LENGTH, "1"), AccessionNumber="A1")
    for position, observation in made.items():
        assert observation["partOf"][0]["reference"] == f"ImagingStudy/{STUDY}"
        assert observation["partOf"][0]["identifier"]["value"] == f"urn:oid:{STUDY}"
        assert _references(observation, "derivedFrom") == [
            f"ImagingStudy/{STUDY}",
            f"DocumentReference/{SOP}",
        ]
        assert observation["derivedFrom"][1]["identifier"]["value"] == f"urn:oid:{SOP}"
        assert observation["basedOn"][0]["identifier"]["value"] == "A1"
        assert observation["subject"] == {"reference": f"Patient/{IDENTITY}"}
        assert observation["identifier"][0]["value"] == f"{SOP}#{position}"
        assert observation["status"] == "preliminary"
        assert [tag["code"] for tag in observation["meta"]["tag"]] == ["COMPLETE", "UNVERIFIED"]


def test_ids_stay_the_same_and_differ_between_reports() -> None:
    first, again = _group(num(LENGTH, "1"))[1], _group(num(LENGTH, "1"))[1]
    other = _group(num(LENGTH, "1"), SOPInstanceUID="1.9")[1]
    assert first == again
    assert first["1.1.1.1"]["id"] != other["1.1.1.1"]["id"]


def test_a_group_without_category_and_finding_is_a_measurement_group() -> None:
    _, made = _group(num(LENGTH, "1"))
    assert made["1.1.1"]["code"]["coding"][0]["code"] == "125007"
    assert not [name for name in made["1.1.1"] if name.startswith("value")]


def test_evaluations_are_concepts_whether_coded_or_not() -> None:
    _, made = _group(
        code(MARGIN, SMOOTH), container(QUALITATIVE, text(MARGIN, "rather smooth"), code(MARGIN, SMOOTH))
    )
    assert made["1.1.1.1"]["valueCodeableConcept"]["coding"][0]["system"] == "http://radlex.org"
    assert made["1.1.1.2.1"]["valueCodeableConcept"] == {"text": "rather smooth"}
    for position in ("1.1.1.1", "1.1.1.2.1", "1.1.1.2.2"):
        categories = [category["text"] for category in made[position]["category"] if "text" in category]
        assert "Qualitative Evaluations" in categories
    assert len(made["1.1.1"]["hasMember"]) == 3
    assert "1.1.1.2" not in made


def test_the_site_holds_for_members_with_its_side() -> None:
    mapped, made = _group(_lung(code(LATERALITY, LEFT, rel=MOD)), num(LENGTH, "1"))
    for position in ("1.1.1", "1.1.1.2"):
        assert made[position]["bodySite"]["text"] == "Lung, Left"
        assert made[position]["bodySite"]["coding"][0]["code"] == "39607008"
    (structure,) = (one for one in mapped.resources if one["resourceType"] == "BodyStructure")
    assert structure["location"]["text"] == "Lung"
    assert [side["text"] for side in structure["locationQualifier"]] == ["Left"]
    extension = made["1.1.1.2"]["extension"][0]
    assert extension["url"] == "http://hl7.org/fhir/StructureDefinition/bodySite"
    assert extension["valueReference"]["reference"] == f"BodyStructure/{structure['id']}"
    assert mapped.unmapped == ()


def test_a_member_may_have_a_site_of_its_own() -> None:
    _, made = _group(_lung(), num(LENGTH, "1", MM, code(SITE, KIDNEY, rel=MOD)))
    assert made["1.1.1"]["bodySite"]["text"] == "Lung"
    assert made["1.1.1.2"]["bodySite"]["text"] == "Kidney"


def test_a_member_may_add_the_side() -> None:
    _, made = _group(_lung(), num(LENGTH, "1", MM, code(LATERALITY, RIGHT, rel=MOD)), num(LENGTH, "2"))
    assert made["1.1.1.2"]["bodySite"]["text"] == "Lung, Right"
    assert made["1.1.1.3"]["bodySite"]["text"] == "Lung"


def test_a_side_without_a_site_and_a_second_site_are_components() -> None:
    _, made = _group(
        num(LENGTH, "1", MM, code(LATERALITY, LEFT, rel=MOD)), _lung(), code(SITE, KIDNEY, rel=MOD)
    )
    assert made["1.1.1"]["bodySite"]["text"] == "Lung"
    assert [one["valueCodeableConcept"]["text"] for one in made["1.1.1"]["component"]] == ["Kidney"]
    assert made["1.1.1.1"]["bodySite"]["text"] == "Lung, Left"
    _, alone = _group(num(LENGTH, "1", MM, code(LATERALITY, LEFT, rel=MOD)))
    assert "bodySite" not in alone["1.1.1.1"]
    assert [one["valueCodeableConcept"]["text"] for one in alone["1.1.1.1"]["component"]] == ["Left"]


def test_concepts_in_snomed_rt_are_understood() -> None:
    _, made = _group(
        code(("G-C0E3", "SRT", "Finding Site"), ("T-28000", "SRT", "Lung"), rel=MOD), num(LENGTH, "1")
    )
    assert [coding["system"] for coding in made["1.1.1.2"]["bodySite"]["coding"]] == [
        SCT,
        "urn:x-dicom:coding-scheme:SRT",
    ]


def test_the_method_holds_for_members_unless_they_have_their_own() -> None:
    volume, sum_of = ("126410", "DCM", "SUV body weight"), ("126030", "DCM", "Sum of segmented voxel volumes")
    _, made = _group(
        code(METHOD, volume, rel=MOD), num(LENGTH, "1"), num(LENGTH, "2", MM, code(METHOD, sum_of, rel=MOD))
    )
    assert made["1.1.1.2"]["method"]["text"] == volume[2]
    assert made["1.1.1.3"]["method"]["text"] == sum_of[2]


def test_tracking_identifiers_identify_the_finding_and_its_place() -> None:
    mapped, made = _group(
        text(TRACKING, "lesion 1", rel=OBS),
        content("UIDREF", TRACKING_UID, rel=OBS, UID="1.2.77"),
        num(LENGTH, "1"),
    )
    identifiers = made["1.1.1"]["identifier"][1:]
    assert [one["value"] for one in identifiers] == ["lesion 1", "urn:oid:1.2.77"]
    assert [one["type"]["coding"][0]["code"] for one in identifiers] == ["112039", "112040"]
    (structure,) = (one for one in mapped.resources if one["resourceType"] == "BodyStructure")
    assert structure["identifier"] == identifiers
    assert made["1.1.1.3"]["extension"] == made["1.1.1"]["extension"]
    assert len(made["1.1.1.3"]["identifier"]) == 1


def test_what_modifies_a_measurement_is_its_component() -> None:
    _, made = _group(num(LENGTH, "6.0", MM, code(DERIVATION, MEAN, rel=MOD)))
    (component,) = made["1.1.1.1"]["component"]
    assert component["code"]["text"] == "Derivation"
    assert component["valueCodeableConcept"]["text"] == "Mean"


def test_the_context_of_a_group_holds_for_members() -> None:
    session = ("C67447", "NCIt", "Activity Session")
    _, made = _group(text(session, "1", rel="CONTAINS"), num(LENGTH, "1"))
    for position in ("1.1.1", "1.1.1.2"):
        (component,) = made[position]["component"]
        assert (component["code"]["text"], component["valueString"]) == ("Activity Session", "1")
    assert "1.1.1.1" not in made


def test_what_modifies_the_finding_stays_with_the_finding() -> None:
    certainty = ("121072", "DCM", "Impression")
    _, made = _group(code(FINDING, NODULE, code(certainty, MEAN, rel=MOD)), num(LENGTH, "1"))
    assert [one["code"]["text"] for one in made["1.1.1"]["component"]] == ["Impression"]
    assert "component" not in made["1.1.1.2"]


def test_a_second_finding_is_not_lost() -> None:
    mapped, made = _group(code(FINDING, NODULE), code(FINDING, MEAN), num(LENGTH, "1"))
    assert made["1.1.1"]["valueCodeableConcept"]["text"] == "Nodule"
    assert made["1.1.1.2"]["valueCodeableConcept"]["text"] == "Mean"
    assert mapped.unmapped == ()


def test_a_measurement_without_a_value_says_why() -> None:
    _, made = _group(num(LENGTH, None, qualifier=("114007", "DCM", "Measurement not attempted")))
    absent = made["1.1.1.1"]["dataAbsentReason"]["coding"]
    assert [coding["code"] for coding in absent] == ["not-performed", "114007"]
    assert "valueQuantity" not in made["1.1.1.1"]


def test_several_values_of_one_measurement_are_components() -> None:
    mapped, made = _group(num(LENGTH, ["8", "8.0", "9"]))
    observation = made["1.1.1.1"]
    assert "valueQuantity" not in observation
    assert [one["code"] for one in observation["component"]] == [observation["code"]] * 3
    assert quantities(mapped.resources) == {Decimal("8"): 2, Decimal("9"): 1}


def test_a_modifier_with_the_code_of_what_it_modifies_keeps_the_rule_of_fhir() -> None:
    mapped, made = _group(num(LENGTH, "8", MM, num(LENGTH, "7", rel="HAS PROPERTIES")))
    observation = made["1.1.1.1"]
    assert "valueQuantity" not in observation
    assert [one["valueQuantity"]["value"] for one in observation["component"]] == [8, 7]
    assert quantities(mapped.resources).total() == 2


def test_an_algorithm_is_the_device_of_what_it_measured() -> None:
    mapped, made = _group(
        text(("111001", "DCM", "Algorithm Name"), "Segmenter", rel=OBS),
        text(("111003", "DCM", "Algorithm Version"), "3.1", rel=OBS),
        num(LENGTH, "1"),
    )
    equipment, algorithm = (one for one in mapped.resources if one["resourceType"] == "Device")
    assert algorithm["parent"] == {"reference": f"Device/{equipment['id']}"}
    assert made["1.1.1.3"]["device"] == {"reference": f"Device/{algorithm['id']}"}
    assert mapped.unmapped == ()


def test_images_of_another_study_are_not_taken_for_the_own() -> None:
    mapped, made = _group(
        image(),
        num(LENGTH, "1"),
        CurrentRequestedProcedureEvidenceSequence=[evidence(OTHER_STUDY, IMAGE)],
    )
    assert _references(made["1.1.1.2"], "derivedFrom") == [
        f"ImagingStudy/{OTHER_STUDY}",
        f"DocumentReference/{SOP}",
    ]
    assert mapped.unmapped == ()


def test_a_derived_measurement_is_derived_from_its_groups() -> None:
    groups = container(("126010", "DCM", "Imaging Measurements"), container(GROUP, num(LENGTH, "4")))
    derived = container(DERIVED, num(LENGTH, "4", MM, by_reference(1, 1, 1)))
    mapped, made = _map(report(groups, derived))
    group = f"Observation/{made['1.1.1']['id']}"
    assert _references(made["1.2.1"], "derivedFrom")[-1] == group
    assert "Derived Imaging Measurements" in [one.get("text") for one in made["1.2.1"]["category"]]
    assert mapped.unmapped == ()


def test_a_reference_to_nothing_is_told() -> None:
    mapped, made = _group(num(LENGTH, "4", MM, by_reference(1, 9), by_reference(1, 1, 1, 1)))
    assert len(made["1.1.1.1"]["derivedFrom"]) == 2
    assert [item.position for item in mapped.unmapped] == ["1.1.1.1.1", "1.1.1.1.2"]


@pytest.mark.parametrize("uid", ["1.2.55"])
def test_an_observation_uid_identifies(uid: str) -> None:
    item = num(LENGTH, "1")
    item.ObservationUID = uid
    item.ObservationDateTime = "20240301"
    _, made = _group(item)
    identifier = made["1.1.1.1"]["identifier"][1]
    assert identifier["type"]["coding"][0]["code"] == "observation-uid"
    assert identifier["value"] == f"urn:oid:{uid}"
    assert made["1.1.1.1"]["effectiveDateTime"] == "2024-03-01"
    assert made["1.1.1"]["effectiveDateTime"] == "2024-02-29"
