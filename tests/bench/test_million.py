"""The studies that are made as rows are found like those that were stored."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import million
from bench.searching import QUESTIONS, Question
from dicomweb.search_parameters import parse_search
from pacs.index import Index, sqlite_url
from pacs.model import Level


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    url = sqlite_url(tmp_path / "index.sqlite")
    million.fill(url, 12)
    index = Index(url)
    yield index
    index.close()


@pytest.mark.parametrize("question", QUESTIONS, ids=[question.name for question in QUESTIONS])
def test_each_question_finds_the_study_that_it_is_about(index: Index, question: Question) -> None:
    for number in range(12):
        query = parse_search(Level.STUDY, list(question.keys(number).items())).query
        found = {each.attributes["0020000D"]["Value"][0] for each in index.search(query)}
        assert million.study_instance_uid(number) in found
        assert len(found) < 12
