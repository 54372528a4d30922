"""What services answer, and what is done about answers: the tables are whole, and used."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from pacs.coercion import COERCED
from pacs.dimse import answers, command, heard, rejection, status, uses
from pacs.dimse.answers import Answers
from pacs.dimse.heard import Heard, Then
from pacs.dimse.rejection import REJECTIONS, Rejection
from pacs.dimse.status import MEANINGS, NO_LONGER_UPDATED, PROCESSING_FAILURE, STATUS, class_of, status_of
from pacs.errors import ArchiveError, OutOfSpace, StepConflict, StepRefusal, StorageFailed
from pacs.model import Coercion

ROOM = Path(answers.__file__).parent
# Where such numbers are at home: values of Command Field look the same
TABLES = {"status.py", "command.py"}
# What names messages that come; all others name those that they send
ANSWERING = {"command.py", "association.py", "offer.py", "offered.py"}


def of_type(module: ModuleType, kind: type) -> dict[str, object]:
    return {name: one for name, one in vars(module).items() if isinstance(one, kind) and name.isupper()}


def leaves(kind: type[ArchiveError]) -> Iterator[type[ArchiveError]]:
    children = [child for child in kind.__subclasses__() if child.__module__ == "pacs.errors"]
    if not children:
        yield kind
    for child in children:
        yield from leaves(child)


def hexadecimals(path: Path) -> Iterator[int]:
    """The integers that are written in hexadecimal."""
    source = path.read_text()
    for node in ast.walk(ast.parse(source)):
        segment = ast.get_source_segment(source, node) or "" if isinstance(node, ast.Constant) else ""
        if segment.startswith("0x"):
            yield int(segment, 16)


def test_statuses_are_written_down_in_one_table_alone() -> None:
    known = {number for number in MEANINGS if number > 0xFF} | {NO_LONGER_UPDATED}
    found = {path.name: known & set(hexadecimals(path)) for path in ROOM.glob("*.py")}
    assert found["status.py"] == known
    assert {name: numbers for name, numbers in found.items() if numbers and name not in TABLES} == {}


def test_every_status_has_a_name_and_a_class() -> None:
    numbers = of_type(status, int)
    assert len(numbers) > 30
    assert set(numbers.values()) - MEANINGS.keys() == {NO_LONGER_UPDATED}
    assert {class_of(number) for number in MEANINGS} == {"Success", "Warning", "Failure", "Pending", "Cancel"}
    assert [class_of(number) for number in (0x0000, 0x0001, 0xA700, 0xB007, 0xC000, 0xFE00, 0xFF01)] == [
        *("Success", "Warning", "Failure", "Warning", "Failure", "Cancel", "Pending")
    ]


@pytest.mark.parametrize("kind", [*leaves(ArchiveError)])
def test_every_error_has_a_status(kind: type[ArchiveError]) -> None:
    assert class_of(STATUS[kind]) == "Failure"
    assert kind.summary().endswith(".")


@pytest.mark.parametrize("name", of_type(answers, Answers))
def test_what_a_service_cannot_meet_is_a_processing_failure_that_it_tells_of(name: str) -> None:
    service = getattr(answers, name)
    assert service.statuses <= MEANINGS.keys()
    if service.failures:
        assert PROCESSING_FAILURE in service.statuses
        assert service.failure(ArchiveError("unheard of"))["Status"] == PROCESSING_FAILURE
        assert {
            service.failure(kind(""))["Status"] for kind in (StorageFailed, OutOfSpace)
        } <= service.statuses


def test_a_refused_step_says_the_error_id_of_the_standard() -> None:
    said = answers.N_SET.failure(StepConflict(StepRefusal.FINAL))
    assert (said["Status"], said["ErrorID"]) == (PROCESSING_FAILURE, NO_LONGER_UPDATED)
    told = {(one.status, one.error_id) for one in answers.N_SET}
    assert (PROCESSING_FAILURE, NO_LONGER_UPDATED) in told
    assert "ErrorID" not in answers.N_CREATE.failure(StepConflict(StepRefusal.EXISTS))


def test_an_error_has_the_status_of_its_nearest_kind() -> None:
    assert status_of(OutOfSpace("")) == status.OUT_OF_RESOURCES
    assert status_of(OutOfSpace(""), {StorageFailed: PROCESSING_FAILURE}) == PROCESSING_FAILURE


def test_every_table_of_what_is_heard_is_that_of_a_service_that_is_used() -> None:
    tables = of_type(heard, Heard)
    assert len(tables) > 5
    assert [name for name, table in tables.items() if all(use.heard is not table for use in uses.USES)] == []


def test_every_message_that_is_sent_to_others_is_told_of() -> None:
    names = {
        name: name.removesuffix("_RQ").replace("_", "-") for name in vars(command) if name.endswith("_RQ")
    }
    sources = [path.read_text() for path in ROOM.glob("*.py") if path.name not in ANSWERING]
    sent = {names[name] for source in sources for name in re.findall(r"\b\w+_RQ\b", source) if name in names}
    assert {use.name for use in uses.USES} == sent


def test_what_is_not_in_a_table_is_given_up_or_tried_again() -> None:
    assert heard.STORE.then(0x0000) is Then.DONE
    assert heard.STORE.then(0xB000) is Then.DONE_WITH_WARNING
    assert heard.STORE.then(0xA7FF) is Then.AGAIN
    assert heard.STORE.then(0xC123) is Then.GIVEN_UP
    assert heard.COMMITMENT_REQUEST.then(0x0112) is Then.AGAIN


def test_an_error_id_counts_before_the_status_that_it_comes_with() -> None:
    assert heard.STEP_SET.then(PROCESSING_FAILURE, NO_LONGER_UPDATED) is Then.DONE_BEFORE
    assert heard.STEP_SET.then(PROCESSING_FAILURE) is heard.STEP_SET.then(PROCESSING_FAILURE, 1) is Then.AGAIN
    assert heard.STEP_CREATED.then(PROCESSING_FAILURE, NO_LONGER_UPDATED) is Then.AGAIN


def test_a_status_of_two_meanings_has_that_of_the_service() -> None:
    meanings = [{one.status: one.meaning for one in service} for service in (answers.C_STORE, answers.C_MOVE)]
    assert [named[0xB000] for named in meanings] == [
        "Coercion of Data Elements",
        "Sub-operations complete: one or more failures or warnings",
    ]


def test_every_rejection_is_told_of() -> None:
    assert set(of_type(rejection, Rejection).values()) == set(REJECTIONS)
    assert REJECTIONS[0].pdu == bytes([3, 0, 0, 0, 0, 4, 0, 1, 1, 2])


def test_every_rule_of_coercion_is_told_of() -> None:
    assert {rule for _, rule, *_ in COERCED} == set(Coercion._fields)
