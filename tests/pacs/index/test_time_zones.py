"""Dates and times of a zone are found in others, whatever database keeps them."""

from datetime import datetime, timedelta

import pytest

from dicomweb.search_parameters import parse_search
from pacs.files import DiskFiles
from pacs.index import Index, Record
from pacs.model import Level
from pacs.query import Query
from pacs.time_zones import written_offset
from tests.pacs.index.test_write import record
from tests.pacs.objects import Changes

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


OFFSETS = range(-12 * 60, 14 * 60 + 1, 15)  # all that there are, in minutes
DATES = ["StudyDate", "SeriesDate", "PerformedProcedureStepStartDate", "ContentDate", "AcquisitionDate"]


@pytest.fixture(scope="module")
def everywhere(files_of_module: DiskFiles) -> list[Record]:
    """At the same moment in all zones: half past midnight of the first day of 2024 in +0100."""
    return [record(files_of_module, f"zone {offset}", _began(offset)) for offset in OFFSETS]


@pytest.fixture(scope="module")
def files_of_module(tmp_path_factory: pytest.TempPathFactory) -> DiskFiles:
    return DiskFiles(tmp_path_factory.mktemp("files"))


def _began(offset: int) -> Changes:
    here = datetime(2023, 12, 31, 23, 30) + timedelta(minutes=offset)
    date, time = here.strftime("%Y%m%d").encode(), here.strftime("%H%M%S").encode()
    return {
        **dict.fromkeys((0x00080020, 0x00080021, 0x00400244, 0x00080023, 0x00080022), ("DA", date)),
        **dict.fromkeys((0x00080030, 0x00080031, 0x00400245, 0x00080033, 0x00080032), ("TM", time)),
        0x00080201: ("SH", written_offset(offset).encode()),
        0x0020000D: ("UI", f"2.999.{offset + 720}".encode()),
        0x0020000E: ("UI", f"2.999.{offset + 720}.1".encode()),
    }


@pytest.mark.parametrize(
    ("level", "dates"), [(Level.STUDY, 1), (Level.SERIES, 2), (Level.INSTANCE, 2), (Level.INSTANCE, 5)]
)
def test_every_date_is_found_in_all_the_zones_that_there_are(
    index: Index, everywhere: list[Record], level: Level, dates: int
) -> None:
    index.writer.write(everywhere)
    for zone, day in (("+0000", "20231231"), ("+0100", "20240101"), ("-1200", "20231231-20231231")):
        asked = [(keyword, day) for keyword in DATES[:dates]]
        query = parse_search(level, [*asked, ("TimezoneOffsetFromUTC", zone)]).query
        assert len(list(index.search(query))) == index.count_answers(query) == len(OFFSETS)
    asked = [("StudyDate", "20231231"), *((keyword, "20240101") for keyword in DATES[1:dates])]
    query = parse_search(level, [*asked, ("TimezoneOffsetFromUTC", "+0100")]).query
    assert index.count_answers(query) == 0
