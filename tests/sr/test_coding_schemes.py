import pytest
from pydicom.dataset import Dataset

from sr.codes import Code
from sr.coding_schemes import CodingSchemes, read_coding_schemes

SCHEMES = CodingSchemes("GE Medical", {"99OWN": "1.2.3", "SRT": "2.16.840.1.113883.6.96"})
SRT = "urn:x-dicom:coding-scheme:SRT"


@pytest.mark.parametrize(
    ("designator", "system"),
    [
        ("DCM", "http://dicom.nema.org/resources/ontology/DCM"),
        ("SCT", "http://snomed.info/sct"),
        ("LN", "http://loinc.org"),
        ("UCUM", "http://unitsofmeasure.org"),
        ("RADLEX", "http://radlex.org"),
        ("UMLS", "http://terminology.hl7.org/CodeSystem/umls"),
        ("NCIt", "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"),
        ("RFC5646", "urn:ietf:bcp:47"),
        ("ISO3166_1", "urn:iso:std:iso:3166"),
        ("IBSI", "urn:oid:1.2.840.10008.2.16.13"),
        ("99OWN", "urn:oid:1.2.3"),
        ("99GEMS", "urn:x-dicom:coding-scheme:GE%20Medical:99GEMS"),
        ("SRT", SRT),
        ("", ""),
    ],
)
def test_systems(designator: str, system: str) -> None:
    assert SCHEMES.system(designator) == system


def test_private_schemes_of_two_makers_differ() -> None:
    assert CodingSchemes("A", {}).system("99X") != CodingSchemes("B", {}).system("99X")


def test_snomed_rt_becomes_snomed_ct_beside_the_original() -> None:
    codings = SCHEMES.codings(Code("T-28000", "SRT", "Lung"))
    assert codings == [
        {"system": "http://snomed.info/sct", "code": "39607008", "display": "Lung"},
        {"system": SRT, "code": "T-28000", "display": "Lung"},
    ]


@pytest.mark.parametrize("scheme", ["SRT", "SNM3", "99SDM"])
def test_snomed_rt_that_is_not_known_never_stands_under_snomed_ct(scheme: str) -> None:
    codings = SCHEMES.codings(Code("T-D0001", scheme, "Topography unknown"))
    assert len(codings) == 1
    assert "snomed.info" not in codings[0]["system"]
    assert "2.16.840.1.113883.6.96" not in codings[0]["system"]


def test_a_misspelt_scheme_is_told_as_what_it_means() -> None:
    assert SCHEMES.codings(Code("mm", "UCM", "")) == [{"system": "http://unitsofmeasure.org", "code": "mm"}]


def test_a_code_without_a_scheme_has_no_system() -> None:
    assert SCHEMES.concept(Code("CT", "", "")) == {"coding": [{"code": "CT"}], "text": "CT"}


def test_a_urn_is_its_own_system() -> None:
    assert SCHEMES.codings(Code("urn:oid:1.2", "", "x"))[0]["system"] == "urn:ietf:rfc:3986"


def test_a_meaning_alone_is_text() -> None:
    assert SCHEMES.concept(Code("", "", "CT HEAD")) == {"text": "CT HEAD"}
    assert SCHEMES.concept(None) == {"text": "unnamed"}


def test_schemes_are_read_from_the_data_set() -> None:
    good, bad, dataset = Dataset(), Dataset(), Dataset()
    good.CodingSchemeDesignator, good.CodingSchemeUID = "99OWN", "1.2.3"
    bad.CodingSchemeDesignator = "99NONE"
    dataset.CodingSchemeIdentificationSequence = [good, bad]
    dataset.Manufacturer = "Acme"
    assert read_coding_schemes(dataset) == CodingSchemes("Acme", {"99OWN": "1.2.3"})
