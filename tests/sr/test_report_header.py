from typing import Any

import pytest
from pydicom.dataset import Dataset

from sr.read_content import read_content
from sr.report_header import read_header, status
from tests.sr.builders import DOSE, OTHER_STUDY, SOP, STUDY, evidence, report

PREDECESSOR = [evidence(STUDY, "1.2.99")]
DOSE_TITLE = ("113701", "DCM", "X-Ray Radiation Dose Report")


def _status(**elements: Any) -> str:
    dataset = report(**elements)
    return status(read_header(dataset), read_content(dataset).root)


@pytest.mark.parametrize(
    ("elements", "told"),
    [
        ({"PreliminaryFlag": "PRELIMINARY", "VerificationFlag": "VERIFIED"}, "preliminary"),
        ({"CompletionFlag": "PARTIAL"}, "preliminary"),
        ({"CompletionFlag": "PARTIAL", "SOPClassUID": DOSE}, "preliminary"),
        ({"VerificationFlag": "VERIFIED"}, "final"),
        ({"PreliminaryFlag": "FINAL"}, "final"),
        ({}, "preliminary"),
        ({"SOPClassUID": DOSE}, "final"),
        ({"title": DOSE_TITLE}, "final"),
        ({"VerificationFlag": "VERIFIED", "PredecessorDocumentsSequence": PREDECESSOR}, "amended"),
        ({"PredecessorDocumentsSequence": PREDECESSOR}, "preliminary"),
        ({"CompletionFlag": None, "VerificationFlag": None}, "unknown"),
    ],
)
def test_status(elements: dict[str, Any], told: str) -> None:
    assert _status(**elements) == told


def test_what_the_header_says() -> None:
    issuer = Dataset()
    issuer.UniversalEntityID, issuer.UniversalEntityIDType = "1.2.3", "ISO"
    header = read_header(
        report(
            AccessionNumber="A1",
            IssuerOfAccessionNumberSequence=[issuer],
            TimezoneOffsetFromUTC="+0100",
            PredecessorDocumentsSequence=PREDECESSOR,
            CurrentRequestedProcedureEvidenceSequence=[evidence(STUDY, "1.1", "1.2")],
            PertinentOtherEvidenceSequence=[evidence(OTHER_STUDY, "1.3")],
        )
    )
    assert (header.sop_instance_uid, header.study_instance_uid) == (SOP, STUDY)
    assert (header.accession_number, header.accession_system) == ("A1", "urn:oid:1.2.3")
    assert (header.content_time, header.zone) == ("20240229101500", "+01:00")
    assert header.flags == {"CompletionFlag": "COMPLETE", "VerificationFlag": "UNVERIFIED"}
    assert header.predecessors == ("1.2.99",)
    assert header.evidence == {"1.1": STUDY, "1.2": STUDY, "1.3": OTHER_STUDY}


def test_an_empty_data_set_has_an_empty_header() -> None:
    header = read_header(Dataset())
    assert (header.sop_instance_uid, header.content_time, header.zone, header.flags) == ("", "", "", {})


def test_a_flag_is_a_code_whatever_stands_in_it() -> None:
    header = read_header(report(PreliminaryFlag="FI\x03NAL", VerificationFlag="\x01"))
    assert header.flags == {"CompletionFlag": "COMPLETE", "PreliminaryFlag": "FINAL"}
