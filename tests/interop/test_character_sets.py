"""Names in all character sets: stored in one, asked in another, answered in that which was asked in.

PS3.4 C.2.2.2 and C.4.1.1.3.2; on the web all is in UTF-8.
"""

import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from struct import pack

import httpx
import pytest
from pydicom.charset import convert_encodings, decode_bytes
from pydicom.filereader import read_dataset
from pydicom.uid import ImplicitVRLittleEndian

from pacs.dataset.character_set import character_set
from pacs.dimse.command import C_FIND_RQ
from pacs.dimse.inquiry import Inquiry
from pacs.dimse.negotiation import Context
from pacs.model import Peer
from pacs.query import fold_name
from testdata.defined_terms import ROWS, SOP_CLASS, Named
from testdata.raw_bytes import padded
from tests.pacs.dimse.peer import STUDY_ROOT_FIND, RawPeer
from tests.service import Service

pytestmark = pytest.mark.xdist_group("service")

UNICODE = "ISO_IR 192"
CONTEXT = Context(STUDY_ROOT_FIND, ImplicitVRLittleEndian)
ALL_TERMS = [row.terms for row in ROWS]
# As which terms the answer tells another spelling of the same
TOLD = {"ISO_IR 6": "", "ISO 2022 IR 6\\ISO 2022 IR 149": "\\ISO 2022 IR 149"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """With an object of each row."""
    with Service(tmp_path_factory.mktemp("character sets") / "data", "--workers", "1") as service:
        for row in ROWS:
            with RawPeer(service.dimse_port) as peer:
                peer.associate(SOP_CLASS)
                assert peer.store(SOP_CLASS, row.instance, row.data_set()) == 0
                peer.release()
        yield service


@pytest.fixture(scope="module")
def inquiry(service: Service) -> Iterator[Inquiry]:
    peer = Peer("DIAFANA", "127.0.0.1", service.dimse_port)
    with Inquiry(peer, "ASKER", [CONTEXT]) as association:
        yield association


def identifier(terms: str, name: bytes) -> bytes:
    """Of a query for studies, byte by byte."""
    said = {0x00080005: padded("CS", terms.encode())} if terms else {}
    elements = said | {0x00080052: b"STUDY ", 0x00100010: padded("PN", name), 0x0020000D: b""}
    return b"".join(
        pack("<HHI", tag >> 16, tag & 0xFFFF, len(value)) + value for tag, value in elements.items()
    )


def found(inquiry: Inquiry, terms: str, name: bytes) -> dict[str, tuple[str, bytes]]:
    """By the UID of each study, the character set of the answer, and the name as it stands there."""
    fields = {"CommandField": C_FIND_RQ, "AffectedSOPClassUID": STUDY_ROOT_FIND, "Priority": 0}
    answers = {}
    for response in inquiry.inquire(CONTEXT, fields, identifier(terms, name)):
        if response.is_last:
            assert response.command["Status"] == 0
            continue
        answer = read_dataset(BytesIO(response.identifier), True, True)
        raw = [answer.get_item(tag).value for tag in (0x0020000D, 0x00080005, 0x00100010) if tag in answer]
        study, *said, told = [value.strip(b"\0 ") for value in raw]
        answers[study.decode()] = (said[0].decode() if said else "", told)
    return answers


def read(terms: str, raw: bytes) -> str:
    """A name by pydicom, which has no Latin-9, and does not take away the escapes to GB 2312."""
    if "203" in terms:
        return raw.replace(b"\x1b-b", b"").decode("iso8859_15")
    if terms.endswith("58"):
        return raw.replace(b"\x1b$)A", b"").decode("gb2312")
    return decode_bytes(raw, convert_encodings(terms.split("\\")), {ord("\\"), ord("^"), ord("=")})


def in_terms(terms: str, name: str) -> bytes | None:
    return character_set(tuple(terms.split("\\"))).encode(name, "PN")


def fitting(name: str) -> set[str]:
    """The studies of the rows that a name must find: all of it, or one of its groups."""
    wanted = fold_name(name)
    names = {row.study: fold_name(row.name) for row in ROWS}
    return {study for study, there in names.items() if wanted == there or wanted in there.split("=")}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.terms)
def test_a_name_is_found_by_what_any_set_writes(inquiry: Inquiry, row: Named) -> None:
    """Its own set first: as it is stored."""
    asked = {terms: in_terms(terms, row.name) for terms in ALL_TERMS} | {row.terms: row.stored}
    for terms, name in asked.items():
        if name is None:
            continue
        answers = found(inquiry, terms, name)
        assert answers.keys() == fitting(row.name)
        for study, (told, raw) in answers.items():
            stored = next(one.name for one in ROWS if one.study == study)
            assert told in (TOLD.get(terms, terms), UNICODE)
            assert read(told, raw) == stored
        assert answers[row.study][0] == TOLD.get(terms, terms)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.terms)
def test_a_part_of_a_name_is_found_in_any_case(inquiry: Inquiry, row: Named) -> None:
    for group in row.name.split("="):
        family = group.split("^")[0]
        for pattern in (f"{family}*", f"{family.upper()}^*", f"?{family[1:]}*"):
            for terms in (row.terms, UNICODE, "GB18030"):
                name = in_terms(terms, pattern)
                assert name is None or row.study in found(inquiry, terms, name)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.terms)
@pytest.mark.parametrize("terms", ["", "ISO_IR 100", "NONESUCH"])
def test_what_the_asked_set_does_not_hold_is_answered_in_utf_8(
    inquiry: Inquiry, row: Named, terms: str
) -> None:
    told, raw = found(inquiry, terms, b"")[row.study]
    held = in_terms(terms, row.name) is not None
    assert told == ({"NONESUCH": ""}.get(terms, terms) if held else UNICODE)
    assert read(told, raw) == row.name


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.terms)
def test_a_name_is_found_on_the_web(service: Service, row: Named) -> None:
    answer = httpx.get(f"{service.url}/dicom-web/studies", params={"PatientName": row.name})
    assert answer.status_code == 200
    studies = {study["0020000D"]["Value"][0]: study["00100010"]["Value"][0] for study in answer.json()}
    assert studies.keys() == fitting(row.name)
    assert "=".join(studies[row.study].values()) == row.name


@pytest.mark.needs("findscu", "dcmdump")
@pytest.mark.parametrize(
    "terms",
    ["ISO_IR 101", "\\ISO 2022 IR 144", "\\ISO 2022 IR 149", "\\ISO 2022 IR 58", UNICODE, "GB18030", "GBK"],
)
def test_dcmtk_reads_the_answer_in_the_set_that_it_asks_in(
    service: Service, terms: str, tmp_path: Path
) -> None:
    row = next(row for row in ROWS if row.terms == terms)
    keys = [f"0008,0005={terms}".encode(), b"0010,0010=" + row.stored, f"0020,000D={row.study}".encode()]
    options = [option for key in (b"0008,0052=STUDY", *keys) for option in (b"-k", key)]
    address = ["127.0.0.1", str(service.dimse_port)]
    subprocess.run(["findscu", "-S", "-X", "-od", tmp_path, *options, *address], check=True, timeout=60)
    (answer,) = tmp_path.iterdir()
    printed = subprocess.run(
        ["dcmdump", "+U8", "+P", "0010,0010", answer], capture_output=True, check=True, timeout=60
    )
    assert f"[{row.name}" in printed.stdout.decode()
