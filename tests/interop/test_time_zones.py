"""Dates and times asked in a time zone, by C-FIND and by QIDO-RS (PS3.4 C.2.2.2.1.3, PS3.18 8.3.4.1.1)."""

from collections.abc import Iterator, Mapping

import httpx
import pytest
from pydicom import Dataset
from pydicom.uid import ImplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation

from testdata.raw_bytes import fields, written
from testdata.studies import uid
from tests.pacs.dimse.peer import SECONDARY_CAPTURE, STUDY_ROOT_FIND, RawPeer
from tests.service import Service

pytestmark = pytest.mark.xdist_group("service")

# Offset, date and time of each study; A to D began at the same moment. The machine is two hours east of UTC.
STUDIES = {
    "A": ("+0100", "20240101", "003000"),
    "B": ("-0500", "20231231", "183000"),
    "C": ("+0900", "20240101", "083000"),
    "D": ("", "20240101", "013000"),
    "E": ("+0100", "20240102", "120000"),
    "F": ("+0100", "20240101", ""),
}
_NAMES = {uid("time zone", name): name for name in STUDIES}

# Zone, keys, and what is found; a zone of None for a query without one
CASES: list[tuple[str | None, dict[str, str], str]] = [
    (None, {"StudyDate": "20240101"}, "ACDF"),
    ("+0000", {"StudyDate": "20231231"}, "ABCD"),
    ("+0100", {"StudyDate": "20240101"}, "ABCDF"),
    ("-0500", {"StudyDate": "20231231"}, "ABCD"),
    ("-0500", {"StudyDate": "20240101-20240102"}, "EF"),
    ("+0000", {"StudyDate": "-20231231"}, "ABCD"),
    ("+0000", {"StudyDate": "20240101-"}, "EF"),
    ("+0000", {"StudyDate": "20231231-20240102", "StudyTime": "2330-2359"}, "ABCDE"),
    ("+0000", {"StudyDate": "20231231-20240102", "StudyTime": "2330-1059"}, "ABCD"),
    ("-0600", {"StudyDate": "20231231-20240102", "StudyTime": "1730-0500"}, "ABCDE"),
    ("+0000", {"StudyDate": "20231231-20240102", "StudyTime": "2331-2359"}, "E"),
    ("+0000", {"StudyTime": "2330"}, "ABCD"),
    ("+0000", {"StudyTime": "2300-2359"}, "ABCD"),
    ("+0130", {"StudyTime": "0000-0200"}, "ABCD"),
    ("+1400", {"StudyDate": "20240101", "StudyTime": "1330"}, "ABCD"),
    ("+0000", {"StudyDate": "20231231", "PatientID": "ZONEB"}, "B"),
]


def data_set(name: str) -> bytes:
    offset, date, time = STUDIES[name]
    changes = {
        0x00080018: ("UI", uid("time zone", name, "instance").encode()),
        **dict.fromkeys((0x00080020, 0x00080021, 0x00080023), ("DA", date.encode())),
        **dict.fromkeys((0x00080030, 0x00080031, 0x00080033), ("TM", time.encode())),
        0x00080201: ("SH", offset.encode()),
        0x00100020: ("LO", f"ZONE{name}".encode()),
        0x0020000D: ("UI", uid("time zone", name).encode()),
        0x0020000E: ("UI", uid("time zone", name, "series").encode()),
    }
    return written(fields(name) | changes)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    data = tmp_path_factory.mktemp("time zones") / "data"
    with Service(data, "--workers", "1", TZ="<+02>-02") as service:
        for name in STUDIES:
            with RawPeer(service.dimse_port) as peer:
                peer.associate()
                instance = uid("time zone", name, "instance")
                assert peer.store(SECONDARY_CAPTURE, instance, data_set(name)) == 0
                peer.release()
        yield service


@pytest.fixture(scope="module")
def association(service: Service) -> Iterator[Association]:
    """With all options but one (PS3.4 Table C.5-1)."""
    user = AE("ASKER")
    user.add_requested_context(STUDY_ROOT_FIND, ImplicitVRLittleEndian)
    wanted = SOPClassExtendedNegotiation()
    wanted.sop_class_uid = STUDY_ROOT_FIND
    wanted.service_class_application_information = bytes([1, 1, 1, 1, 1, 1, 1])
    association = user.associate("127.0.0.1", service.dimse_port, ext_neg=[wanted])
    assert association.acceptor.sop_class_extended == {STUDY_ROOT_FIND: bytes([1, 1, 1, 1, 0, 1, 1])}
    yield association
    association.release()


def found(association: Association, zone: str | None, keys: Mapping[str, str]) -> dict[str, Dataset]:
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    if zone is not None:
        identifier.TimezoneOffsetFromUTC = zone
    for keyword in ("StudyInstanceUID", "StudyDate", "StudyTime"):
        setattr(identifier, keyword, "")
    for keyword, value in keys.items():
        setattr(identifier, keyword, value)
    *answers, (last, _) = association.send_c_find(identifier, STUDY_ROOT_FIND)
    assert last.Status == 0
    return {_NAMES[answer.StudyInstanceUID]: answer for _, answer in answers if answer is not None}


@pytest.mark.parametrize(("zone", "keys", "names"), CASES, ids=str)
def test_c_find_in_a_zone(
    association: Association, zone: str | None, keys: dict[str, str], names: str
) -> None:
    assert sorted(found(association, zone, keys)) == sorted(names)


@pytest.mark.parametrize(("zone", "keys", "names"), CASES, ids=str)
def test_qido_in_a_zone(service: Service, zone: str | None, keys: dict[str, str], names: str) -> None:
    asked = keys | ({"TimezoneOffsetFromUTC": zone} if zone else {})
    answer = httpx.get(f"{service.url}/dicom-web/studies", params=asked)
    studies = answer.json() if answer.content else []
    assert sorted(_NAMES[study["0020000D"]["Value"][0]] for study in studies) == sorted(names)
    assert "Warning" not in answer.headers


@pytest.mark.parametrize(("resource", "date"), [("series", "SeriesDate"), ("instances", "ContentDate")])
def test_other_levels_in_a_zone(service: Service, resource: str, date: str) -> None:
    """By the zone that their study states."""
    asked = {date: "20231231", "TimezoneOffsetFromUTC": "-0500", "includefield": date}
    found = httpx.get(f"{service.url}/dicom-web/{resource}", params=asked).json()
    assert sorted(_NAMES[one["0020000D"]["Value"][0]] for one in found) == list("ABCD")
    key = {"SeriesDate": "00080021", "ContentDate": "00080023"}[date]
    assert {one[key]["Value"][0] for one in found} == {"20231231"}


TOLD_IN_UTC = {
    **dict.fromkeys("ABCD", ("20231231", "233000")),
    "E": ("20240102", "110000"),
    "F": ("20240101", None),
}


def test_answers_are_told_in_the_asked_zone(service: Service, association: Association) -> None:
    answers = found(association, "+0000", {})
    assert {name: (one.StudyDate, one.StudyTime or None) for name, one in answers.items()} == TOLD_IN_UTC
    assert {one.TimezoneOffsetFromUTC for one in answers.values()} == {"+0000"}
    on_the_web = httpx.get(f"{service.url}/dicom-web/studies?TimezoneOffsetFromUTC=+0000").json()
    told = {
        _NAMES[one["0020000D"]["Value"][0]]: tuple(
            one.get(key, {}).get("Value", [None])[0] for key in ("00080020", "00080030")
        )
        for one in on_the_web
    }
    assert told == TOLD_IN_UTC
    assert {one["00080201"]["Value"][0] for one in on_the_web} == {"+0000"}


def test_without_a_zone_answers_are_told_as_they_are_kept(association: Association) -> None:
    for name, answer in found(association, None, {}).items():
        _, date, time = STUDIES[name]
        assert (answer.StudyDate, answer.StudyTime or "") == (date, time)
        assert "TimezoneOffsetFromUTC" not in answer


def test_a_zone_that_was_not_agreed_changes_nothing(service: Service) -> None:
    user = AE("ASKER")
    user.add_requested_context(STUDY_ROOT_FIND, ImplicitVRLittleEndian)
    association = user.associate("127.0.0.1", service.dimse_port)
    assert sorted(found(association, "+0000", {"StudyDate": "20240101"})) == list("ACDF")
    association.release()


def test_what_is_no_zone_is_refused(service: Service, association: Association) -> None:
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    identifier.TimezoneOffsetFromUTC = "CET"
    ((last, _),) = association.send_c_find(identifier, STUDY_ROOT_FIND)
    assert last.Status == 0xA900
    assert "TimezoneOffsetFromUTC" in last.ErrorComment
    assert httpx.get(f"{service.url}/dicom-web/studies?TimezoneOffsetFromUTC=CET").status_code == 400
