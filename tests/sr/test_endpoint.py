from sr.endpoint import endpoint
from tests.sr.fhir_rules import faults


def test_an_endpoint_is_wado_rs_at_its_address() -> None:
    made = endpoint("https://pacs.example.org/dicomweb/")
    assert made["address"] == "https://pacs.example.org/dicomweb"
    assert made["connectionType"]["code"] == "dicom-wado-rs"
    assert made == endpoint("https://pacs.example.org/dicomweb")
    assert made["id"] != endpoint("https://pacs.example.org/other")["id"]
    assert faults(made) == []
