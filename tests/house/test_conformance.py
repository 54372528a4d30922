"""The pages that are made of the code's own tables say what these say."""

import pkgutil
import re
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from diafana import conformance
from diafana.conformance import CONTENTS
from diafana.conformance.markdown import anchor
from diafana.conformance.offered import offered
from diafana.conformance.sections import TEMPLATE
from diafana.settings import Settings
from dicomweb.status import HTTP_STATUS, REFUSED
from pacs.dimse.sop_classes import STORAGE
from pacs.dimse.uses import USES

DOCS = Path(__file__).parents[2] / "docs"
HEADING = re.compile(r"^#{2,6} ((?:A\.)?[A-Z0-9][0-9.]*) (.+)$", re.MULTILINE)


@pytest.mark.parametrize(
    ("page", "command", "word"),
    [
        ("conformance.md", "diafana conformance", "C-FIND"),
        ("sr-to-fhir.md", "sr", "valueQuantity"),
    ],
)
def test_the_page_is_not_stale(page: str, command: str, word: str) -> None:
    made = [sys.executable, "-m", *command.split()]
    told = subprocess.run(made, capture_output=True, text=True, check=True).stdout
    assert word in told
    assert (DOCS / page).read_text() == told, f"run `.venv/bin/python -m {command} > docs/{page}`"


@cache
def statement() -> str:
    return (DOCS / "conformance.md").read_text()


def section(number: str) -> str:
    """A section, without those below it."""
    parts = HEADING.split(statement())
    return dict(zip(parts[1::3], parts[3::3], strict=True))[number]


def test_every_section_of_the_template_is_there_in_its_order() -> None:
    found = HEADING.findall(statement())
    titles = dict(found)
    left_out = {
        number
        for number, _ in TEMPLATE
        for above, title in found
        if title.endswith(" - N/A") and number.startswith(f"{above}.")
    }
    assert [number for number, _ in found] == [number for number, _ in TEMPLATE if number not in left_out]
    assert {number: titles[number].removesuffix(" - N/A") for number in titles} == {
        number: title for number, title in TEMPLATE if number not in left_out
    }
    assert all(section(number).strip() == "N/A" for number, title in found if title.endswith(" - N/A"))


def test_no_content_is_of_a_section_that_the_template_has_not() -> None:
    assert CONTENTS.keys() <= {number for number, _ in TEMPLATE}
    assert len(CONTENTS) > 80


def test_every_section_is_filled_in_by_one_module() -> None:
    names = [module.name for module in pkgutil.iter_modules(conformance.__path__)]
    modules = [import_module(f"{conformance.__name__}.{name}") for name in names]
    numbers = [number for module in modules for number in getattr(module, "SECTIONS", ())]
    assert sorted(numbers) == sorted(CONTENTS)


def test_every_link_leads_somewhere() -> None:
    anchors = {anchor(f"{number} {title}") for number, title in HEADING.findall(statement())}
    links = set(re.findall(r"\]\(#([^)]+)\)", statement()))
    assert len(links) > 60
    assert links - anchors == set()
    files = set(re.findall(r"\]\(([^#)]+)\)", statement()))
    assert files
    assert [name for name in files if not (DOCS / name).is_file()] == []


def test_every_service_is_there_with_every_status_that_it_can_answer() -> None:
    told = [section(f"7.3.2.{number}") for number in range(1, 10)]
    assert len(offered().offers) >= 11
    for offer in offered().offers:
        of_it = [text for text in told if f", {offer.name}: what we answer" in text]
        rows = [f"| {one.status:04X} |" for one in offer.answers]
        assert any(all(row in text for row in rows) for text in of_it), offer.name
    for use in USES:
        of_it = [text for text in told if f", {use.name}: what we do about answers" in text]
        assert any(then.value in text for text in of_it for _, then in use.heard.rows), use.name


def test_every_transaction_is_there_with_its_statuses() -> None:
    described, done = statement(), "".join(section(f"7.3.3.{number}") for number in range(2, 8))
    rows = re.findall(r"^\| ([^|]+) \| ([0-9; ]+) \|$", done, re.MULTILINE)
    told = {(name, statuses) for names, statuses in rows for name in names.split("; ")}
    for transaction in (*offered().transactions, offered().uri):
        statuses = "; ".join(str(int(status)) for status in transaction.done)
        assert f"| {transaction.name} | {transaction.section} |" in described
        assert (transaction.name, statuses) in told
    for status in {*map(int, HTTP_STATUS.values()), *REFUSED}:
        assert f"| {status} |" in section("7.3.3.1")


def test_every_setting_is_told_of_once() -> None:
    told = re.findall(r"^\| `(\w+)` \| SERVICE \|", statement(), re.MULTILINE)
    assert [told.count(name) for name in Settings.model_fields] == [1] * len(Settings.model_fields)


def test_every_sop_class_of_a_service_has_its_roles() -> None:
    told = "".join(section(f"1.2.{number}") for number in (1, 3, 4))
    used = {uid for use in USES for uid in use.sop_classes}
    assert len(used) > 5
    for uid in used.union(*(offer.sop_classes for offer in offered().offers)):
        assert told.count(f"| {uid} |") == 1


def test_every_storage_class_is_in_one_table() -> None:
    assert len(re.findall(r"^\| [^|]+ \| ([0-9.]+) \| Y \|", section("1.1"), re.MULTILINE)) >= len(STORAGE)
    assert all(f"| {uid} |" in section("1.1") for uid in STORAGE)
