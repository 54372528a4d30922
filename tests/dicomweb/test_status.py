import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dicomweb import status
from dicomweb.status import FAILURE_REASON, HTTP_STATUS, REFUSED, failure_reason, http_status
from pacs.errors import (
    ArchiveError,
    FrameNotFound,
    InstanceConflict,
    InvalidStep,
    NotFound,
    OutOfSpace,
    Quarantined,
    Refused,
    StorageFailed,
    UnsupportedObject,
)


def leaves(kind: type[ArchiveError]) -> Iterator[type[ArchiveError]]:
    children = [child for child in kind.__subclasses__() if child.__module__ == "pacs.errors"]
    if not children:
        yield kind
    for child in children:
        yield from leaves(child)


@pytest.mark.parametrize("kind", [*leaves(ArchiveError)])
def test_every_error_has_an_http_status(kind: type[ArchiveError]) -> None:
    assert 400 <= HTTP_STATUS[kind] < 600


@pytest.mark.parametrize("kind", [*leaves(Refused), *leaves(StorageFailed)])
def test_every_error_of_storing_has_a_failure_reason(kind: type[ArchiveError]) -> None:
    assert 0 < FAILURE_REASON[kind] <= 0xFFFF


def test_the_tables_name_nothing_that_is_never_raised() -> None:
    assert HTTP_STATUS.keys() - set(leaves(ArchiveError)) == {
        InvalidStep,
        NotFound,
        StorageFailed,
    }
    assert FAILURE_REASON.keys() - {*leaves(Refused), *leaves(StorageFailed)} == {StorageFailed}


def test_every_status_of_a_refusal_is_told_of() -> None:
    sources = [path.read_text() for path in Path(status.__file__).parent.rglob("*.py")]
    refused = re.compile(r"\b(?:problem|BodyRefused)\((?:status_code=)?(\d{3})\b")
    found = {int(number) for source in sources for number in refused.findall(source)}
    assert found >= {403, 409, 413, 415, 416, 503}
    assert found <= REFUSED.keys()
    assert all(400 <= number < 600 for number in REFUSED)


def test_an_error_has_the_status_of_its_nearest_kind() -> None:
    assert http_status(OutOfSpace("")) == 507
    assert http_status(FrameNotFound("")) == 404
    assert http_status(NotFound("")) == 404
    assert http_status(Quarantined("")) == 500


def test_an_unknown_failure_to_store_is_a_processing_failure() -> None:
    assert failure_reason(InstanceConflict("")) == 0x0111
    assert failure_reason(OutOfSpace("")) == 0xA700
    assert failure_reason(StorageFailed("")) == 0x0110
    assert failure_reason(ArchiveError("")) == 0x0110


def test_a_transfer_syntax_and_a_sop_class_fail_for_reasons_of_their_own() -> None:
    assert failure_reason(UnsupportedObject("", 0x00020010)) == 0xC122
    assert failure_reason(UnsupportedObject("", 0x00080016)) == 0x0122
