"""The questions of the query cases, asked of one service by C-FIND and by QIDO-RS."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx
import pytest
from pydicom import Dataset
from pydicom.datadict import dictionary_VR
from pydicom.sequence import Sequence
from pydicom.uid import ImplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation

from pacs.dataset.character_set import character_set
from pacs.model import Level
from pacs.query import Semantics
from tests.pacs.dimse.peer import PATIENT_ROOT_FIND, STUDY_ROOT_FIND, store
from tests.properties.query_cases import CASES, EXTENDED_CASES, Case, data_sets, label_of
from tests.service import Service

pytestmark = pytest.mark.xdist_group("service")

NAMES = {Level.PATIENT: "PATIENT", Level.STUDY: "STUDY", Level.SERIES: "SERIES", Level.INSTANCE: "IMAGE"}
RESOURCES = {
    Level.PATIENT: "patients",
    Level.STUDY: "studies",
    Level.SERIES: "series",
    Level.INSTANCE: "instances",
}
PARAMETERS = {
    "fuzzy": "fuzzymatching",
    "empty_value": "emptyvaluematching",
    "multiple_value": "multiplevaluematching",
}
# What tells an answer from others, to be returned with it
RETURNED = (
    "PatientID",
    "IssuerOfPatientID",
    "PatientName",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
)


@dataclass
class Asked:
    """The service, and the associations to it by what was negotiated."""

    service: Service
    associations: dict[tuple[str, bytes], Association]

    def association(self, model: str, semantics: Semantics) -> Association:
        """PS3.4 Table C.5-1: every option that is wanted is agreed to, and no other."""
        options = bytes([1, semantics.combined_datetime, semantics.fuzzy, 0, 0])
        options += bytes([semantics.empty_value, semantics.multiple_value])
        if (model, options) not in self.associations:
            user = AE("ASKER")
            user.add_requested_context(model, ImplicitVRLittleEndian)
            wanted = SOPClassExtendedNegotiation()
            wanted.sop_class_uid, wanted.service_class_application_information = model, options
            made = user.associate("127.0.0.1", self.service.dimse_port, ext_neg=[wanted])
            assert made.is_established
            assert made.acceptor.sop_class_extended == {model: options}
            self.associations[model, options] = made
        return self.associations[model, options]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with Service(tmp_path_factory.mktemp("queries") / "data", "--workers", "1") as service:
        for dataset in data_sets():
            assert store(service.dimse_port, dataset).Status == 0
        held = Asked(service, {})
        yield held
        for association in held.associations.values():
            association.release()


def identifier(level: Level, keys: Mapping[str, tuple[str, ...]]) -> Dataset:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.QueryRetrieveLevel = NAMES[level]
    for keyword in RETURNED[: {Level.PATIENT: 3, Level.STUDY: 4, Level.SERIES: 5, Level.INSTANCE: 6}[level]]:
        setattr(dataset, keyword, "")
    for path, values in keys.items():
        outer, _, inner = path.partition(".")
        target = dataset
        if inner:
            if outer not in dataset:
                setattr(dataset, outer, Sequence([Dataset()]))
            (target,) = dataset[outer].value
        keyword = inner or outer
        vr = dictionary_VR(keyword)
        # pydicom would not write what is no number, and here nobody is told the VR
        target.add_new(keyword, "LO" if vr == "IS" else vr, list(values) if len(values) > 1 else values[0])
    return dataset


def by_c_find(asked: Asked, case: Case, terms: str = "ISO_IR 192") -> list[str]:
    model = PATIENT_ROOT_FIND if case.level is Level.PATIENT else STUDY_ROOT_FIND
    association = asked.association(model, case.semantics)
    question = identifier(case.level, case.keys)
    question.SpecificCharacterSet = terms.split("\\")
    *answers, (last, _) = association.send_c_find(question, model)
    assert last.Status == 0x0000
    assert all(status.Status in (0xFF00, 0xFF01) for status, _ in answers)
    return [label_of(case.level, answer.to_json_dict()) for _, answer in answers if answer is not None]


def by_qido(asked: Asked, case: Case) -> list[str]:
    keys = [(path, value) for path, values in case.keys.items() for value in values]
    semantics = [(p, "true") for name, p in PARAMETERS.items() if getattr(case.semantics, name)]
    wanted = [("includefield", ",".join(RETURNED))]
    url = f"{asked.service.url}/dicom-web/{RESOURCES[case.level]}"
    answer = httpx.get(url, params=[*keys, *semantics, *wanted], headers={"Accept": "application/dicom+json"})
    assert answer.status_code in (200, 204), answer.text
    return [label_of(case.level, found) for found in answer.json()] if answer.content else []


def ranges_of_a_date_and_a_time(case: Case) -> bool:
    """Whether it asks for both, apart from each other; on the web they always are one range."""
    return not case.semantics.combined_datetime and sum("-" in v for (v, *_) in case.keys.values()) > 1


@pytest.mark.parametrize("case", [*CASES, *EXTENDED_CASES], ids=str)
def test_c_find_finds_what_it_must(asked: Asked, case: Case) -> None:
    assert sorted(by_c_find(asked, case)) == sorted(case.found)


# Keys that are not ASCII, with the sets that hold them
IN_OTHER_SETS = [
    (case, terms)
    for case in (*CASES, *EXTENDED_CASES)
    for values in case.keys.values()
    for terms in ("ISO_IR 100", "\\ISO 2022 IR 87", "\\ISO 2022 IR 149", "GB18030")
    if not "".join(values).isascii() and character_set(tuple(terms.split("\\"))).encode(values[0], "PN")
]


@pytest.mark.parametrize(("case", "terms"), IN_OTHER_SETS, ids=str)
def test_c_find_finds_the_same_in_other_character_sets(asked: Asked, case: Case, terms: str) -> None:
    assert sorted(by_c_find(asked, case, terms)) == sorted(case.found)


@pytest.mark.parametrize(
    "case", [case for case in (*CASES, *EXTENDED_CASES) if not ranges_of_a_date_and_a_time(case)], ids=str
)
def test_qido_finds_what_it_must(asked: Asked, case: Case) -> None:
    assert sorted(by_qido(asked, case)) == sorted(case.found)
