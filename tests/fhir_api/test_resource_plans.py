"""How SQLite goes about searches by code and value of one element."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, event

from fhir_api.conditions import Condition
from fhir_api.resource_statements import count_statement
from fhir_api.search_request import parse_search
from fhir_api.shapes import shape_of
from fhir_api.store import prepare
from pacs.index import sqlite_url


def plan(tmp_path: Path, narrow: int | None, *asked: tuple[str, str]) -> list[str]:
    """Each step that SQLite takes to count what is found."""
    url = sqlite_url(tmp_path / "fhir.sqlite")
    prepare(url)
    engine = create_engine(url)
    sent: list[tuple[str, Any]] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _see(*call: Any) -> None:
        sent.append((call[2], call[3]))

    request = parse_search("Observation", asked, "", strict=True)
    shape = shape_of([one for one in request.conditions if isinstance(one, Condition)])
    with engine.connect() as connection:
        connection.execute(count_statement("Observation", shape.conditions, narrow), shape.parameters)
        statement, values = sent[-1]
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        steps = [row[3] for row in rows]
    engine.dispose()
    return steps


@pytest.mark.parametrize("name", ["code-value-quantity", "combo-code-value-quantity"])
@pytest.mark.parametrize("value", ["a|b$5", "a|b$gt5||mm", "b$lt5"])
def test_pairs_are_found_in_their_index_alone(tmp_path: Path, name: str, value: str) -> None:
    steps = plan(tmp_path, None, (name, value))
    assert any("COVERING INDEX ix_fhir_search_pair (name=? AND value=?" in step for step in steps)
    assert not any(step.startswith("SCAN") for step in steps)


def test_pairs_are_held_against_what_a_patient_has(tmp_path: Path) -> None:
    steps = plan(tmp_path, 0, ("patient", "x"), ("combo-code-value-quantity", "b$lt5"))
    assert any("ix_fhir_search_pair_resource_key (resource_key=?)" in step for step in steps)
    assert any("ix_fhir_search_value (name=? AND value=?)" in step for step in steps)


def test_what_is_among_several_names_is_found_by_each(tmp_path: Path) -> None:
    for name, value in (("combo-code", "a"), ("combo-value-quantity", "lt5")):
        steps = plan(tmp_path, None, (name, value))
        assert any("COVERING INDEX ix_fhir_search_value" in step and "name=?" in step for step in steps)
