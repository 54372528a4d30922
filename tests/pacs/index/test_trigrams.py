"""What stands anywhere in a name is found by its trigrams, and the same is found without them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import Engine

from bench import million
from dicomweb.search_parameters import parse_search
from pacs.files import DiskFiles
from pacs.index import Index, Removal, migrate, sqlite_url
from pacs.index.compile import shape_of, statement
from pacs.index.engine import open_engine
from pacs.index.trigrams import Trigrams, trigrams_of
from pacs.model import Level
from tests.pacs.index.conftest import DATABASES, empty_index
from tests.pacs.index.test_write import PATIENT_NAME, record

STUDIES, SOME = 2_000, 50
UNLIKE = 'abé山 =^"\\%_\x1f'  # what is unlike others in LIKE, in FTS5, or in an array


@pytest.mark.parametrize(
    ("like", "trigrams"),
    [
        ("%ross%", '"ros" "oss"'),
        ("%abc%bcd_cde", '"abc" "bcd" "cde"'),
        (r"%a\%\_\\b%", r'"a%_" "%_\" "_\b"'),
        ('%ab"cd%efg%', '"efg"'),
        ("%ab%cd%", ""),
        ("%", ""),
        ("%aaaa%", '"aaa"'),
        ("%山田太郎%", '"山田太" "田太郎"'),
    ],
)
def test_the_trigrams_of_a_pattern(like: str, trigrams: str) -> None:
    assert trigrams_of(like) == trigrams


@given(st.lists(st.text(UNLIKE, max_size=6), min_size=2, max_size=4))
@example(['a"bc', "%a_", "\\%ab"])
def test_each_trigram_is_in_every_name_that_the_pattern_matches(parts: list[str]) -> None:
    escaped = ("".join(f"\\{letter}" if letter in "\\%_" else letter for letter in part) for part in parts)
    trigrams = trigrams_of("%".join(escaped))
    asked = trigrams[1:-1].split('" "') if trigrams else []
    assert all(any(one in part for part in parts) for one in asked)
    assert set(asked) <= {part[at : at + 3] for part in parts for at in range(len(part) - 2)}


@pytest.fixture(scope="module", params=DATABASES)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The engine of an index with STUDIES studies."""
    with empty_index(request.param, tmp_path_factory.mktemp("filled"), request) as url:
        million.fill(url, STUDIES)
        engine = open_engine(url)
        yield engine
        engine.dispose()


@pytest.mark.parametrize(
    ("name", "is_rare"),
    [
        ("*alanag*", True),
        ("*alanag*ad*", True),
        ("*nagari?al*", True),
        ("*alanagari ali", True),  # also before other groups of the name
        ("*zzz*", True),
        ("*ari*", False),
        ("*al*", False),
        ("*ari*zzz", True),
        ("b*ari*", False),
    ],
)
@pytest.mark.parametrize("level", [Level.PATIENT, Level.STUDY])
def test_rare_names_are_found_by_trigrams_and_others_in_the_order_of_the_list(
    filled: Engine, level: Level, name: str, is_rare: bool
) -> None:
    query = parse_search(level, [("PatientName", name), ("limit", "1000")]).query
    trigrams = Trigrams(filled, SOME)
    shape, parameters = shape_of(query, (), lambda tests: trigrams.narrow(level, tests))
    ((_, tests),) = shape.criteria
    assert ({test.operation for test in tests} == {"like among few"}) is is_rare
    plain, of_plain = shape_of(query)
    with filled.connect() as connection:
        found = connection.execute(statement(shape), parameters).all()
        assert found == connection.execute(statement(plain), of_plain).all()
    assert len(found) <= SOME or not is_rare


def test_a_name_is_found_as_long_as_it_is_so(index: Index, files: DiskFiles) -> None:
    def named(name: str) -> list[int]:
        queries = (parse_search(level, [("PatientName", name)]).query for level in Level)
        return [index.count_answers(query) for query in queries]

    first = record(files, "a", {PATIENT_NAME: ("PN", b"Rossi^Mario")})
    second = record(files, "a", {PATIENT_NAME: ("PN", b'Ver"di^Mario')})
    index.writer.write([first])
    assert named("*ossi*") == [1, 1, 1, 1]
    index.replacer.replace(second, Removal("replaced", "MODALITY"))
    assert named("*ossi*") == [0, 0, 0, 0]
    assert named('*er"di mar*') == named("*^Mario") == [1, 1, 1, 1]
    index.remover.delete(first.instance.study_instance_uid, None, None, Removal("deleted", "10.1.2.3"))
    assert named("*^Mario") == [0, 0, 0, 0]


def test_what_sqlite_keeps_of_names_is_what_the_rows_have(tmp_path: Path, files: DiskFiles) -> None:
    url = sqlite_url(tmp_path / "index.sqlite")
    migrate(url)
    index = Index(url)
    first, other = (record(files, name, {PATIENT_NAME: ("PN", b"Rossi^Mario")}) for name in "ab")
    index.writer.write([first, other])
    index.replacer.replace(record(files, "a", {PATIENT_NAME: ("PN", b"Verdi")}), Removal("replaced", "PACS"))
    index.close()
    with closing(sqlite3.connect(tmp_path / "index.sqlite")) as kept:
        kept.execute("INSERT INTO patient_trigrams (patient_trigrams, rank) VALUES ('integrity-check', 1)")
        of_studies = "INSERT INTO study_trigrams (study_trigrams, rank) VALUES ('integrity-check', 1)"
        kept.execute(of_studies)
        kept.execute("DROP TRIGGER study_is_renamed")
        kept.execute("UPDATE study SET patient_name = 'bianchi'")
        with pytest.raises(sqlite3.DatabaseError, match="malformed"):
            kept.execute(of_studies)
