"""Dates and times of a zone are found in others, whatever database keeps them."""

import pytest

from dicomweb.search_parameters import parse_search
from pacs.files import DiskFiles
from pacs.index import Index
from pacs.model import Level
from pacs.query import Query
from tests.pacs.index.test_write import record

# Offset, date and time of studies; the first three began at the same moment
STUDIES = [
    ("+0100", "20240101", "003000"),
    ("-0500", "20231231", "183000"),
    ("+0900", "20240101", "083000"),
    ("+0100", "20240102", "003000"),
]


@pytest.fixture
def filled(index: Index, files: DiskFiles) -> Index:
    index.writer.write(
        [
            record(
                files,
                f"zone {number}",
                {
                    0x00080020: ("DA", date.encode()),
                    0x00080030: ("TM", time.encode()),
                    0x00080201: ("SH", offset.encode()),
                    0x0020000D: ("UI", f"2.999.{number}".encode()),
                    0x0020000E: ("UI", f"2.999.{number}.1".encode()),
                },
            )
            for number, (offset, date, time) in enumerate(STUDIES)
        ]
    )
    return index


@pytest.mark.parametrize(
    ("zone", "date", "time", "found"),
    [
        ("+0000", "20231231", "", [0, 1, 2]),
        ("+0100", "20240101", "", [0, 1, 2]),
        ("+0100", "20240102-", "", [3]),
        ("+0000", "20231231-20240101", "2330-2330", [0, 1, 2, 3]),
        ("+0000", "20231231-20240101", "2331-2329", []),
        ("+1400", "", "1330", [0, 1, 2, 3]),
    ],
)
def test_what_is_asked_in_one_zone_is_found_in_all(
    filled: Index, zone: str, date: str, time: str, found: list[int]
) -> None:
    asked = [("StudyDate", date), ("StudyTime", time), ("TimezoneOffsetFromUTC", zone)]
    query: Query = parse_search(Level.STUDY, asked).query
    answers = [answer.attributes["0020000D"]["Value"][0] for answer in filled.search(query)]
    assert sorted(answers) == [f"2.999.{number}" for number in found]
    assert filled.count_answers(query) == len(found)
