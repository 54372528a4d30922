"""The pages that are made of the code's own tables say what these say."""

import json
import pkgutil
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from diafana import conformance, peer_routes, remote_resource
from diafana.conformance import CONTENTS
from diafana.conformance.communication import IN_ROUNDS
from diafana.conformance.introduction import REVISIONS
from diafana.conformance.markdown import anchor
from diafana.conformance.offered import offered
from diafana.conformance.sections import TEMPLATE
from diafana.settings import Settings
from diafana.wiring import Parts, couriers
from dicomweb.status import HTTP_STATUS, REFUSED
from pacs.changes import Bell
from pacs.dataset.transfer_syntax import EXPLICIT_LITTLE_ENDIAN
from pacs.dimse import requestor
from pacs.dimse.dialogue import echo
from pacs.dimse.negotiation import Context
from pacs.dimse.offer import Offer
from pacs.dimse.requestor import PeerFailed
from pacs.dimse.rounds import AT_ONCE, Rounds
from pacs.dimse.sop_classes import PERFORMED_STEP, STORAGE
from pacs.dimse.status import class_of
from pacs.dimse.step_courier import STEPS
from pacs.dimse.uses import USES, Use
from pacs.index import migrate, sqlite_url
from pacs.model import Peer
from pacs.non_patient import CATEGORY_OF
from tests.house.annex_n import ANNEX_N

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


def headings() -> dict[str, str]:
    """The titles of all sections, by their numbers in their order."""
    return dict(HEADING.findall(statement()))


def is_below(number: str, above: Iterable[str]) -> bool:
    return any(number.startswith(f"{one}.") for one in above)


def test_every_heading_of_annex_n_is_there_in_its_order() -> None:
    found = headings()
    left_out = {number for number, title in found.items() if title.endswith(" - N/A")}
    wanted = {number: title for number, title in ANNEX_N if not is_below(number, left_out)}
    assert [number for number in found if number in wanted] == [*wanted]
    for number, title in wanted.items():
        form = re.sub("<.*?>", ".+", re.sub(r"[().]", r"\\\g<0>", title))
        assert re.fullmatch(form, found[number].removesuffix(" - N/A")), number
    assert all(section(number).strip() == "N/A" for number in left_out)


def test_sections_of_ours_are_last_in_theirs() -> None:
    places = {number: place for place, number in enumerate(headings())}
    of_the_template = {number for number, _ in ANNEX_N}
    ours = [number for number in places if number not in of_the_template]
    assert len(ours) > 10
    for number in ours:
        above = number.rpartition(".")[0]
        beside = [places[one] for one in of_the_template & places.keys() if one.rpartition(".")[0] == above]
        assert places[number] > max(beside, default=-1), number


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


# Where services are told of, by their message and the annex of PS3.4
OFFERED = {
    ("C-ECHO", "A"): "7.3.2.9.2",
    ("C-STORE", "B"): "7.3.2.5.2",
    ("C-FIND", "C"): "7.3.2.7.3",
    ("C-MOVE", "C"): "7.3.2.7.4",
    ("C-GET", "C"): "7.3.2.7.6",
    ("N-ACTION", "J"): "7.3.2.6.3",
    ("N-EVENT-REPORT", "J"): "7.3.2.6.2",
    ("C-FIND", "K"): "7.3.2.1.2",
    ("N-CREATE", "F"): "7.3.2.2.3",
    ("N-SET", "F"): "7.3.2.2.4",
    ("N-GET", "F"): "7.3.2.2.5",
}
USED = {
    ("C-ECHO", "A"): "7.3.2.9.1",
    ("C-STORE", "B"): "7.3.2.5.1",
    ("C-FIND", "C"): "7.3.2.7.1",
    ("C-MOVE", "C"): "7.3.2.7.2",
    ("C-GET", "C"): "7.3.2.7.5",
    ("N-CREATE", "F"): "7.3.2.2.1",
    ("N-SET", "F"): "7.3.2.2.2",
    ("N-CREATE", "R"): "7.3.2.4.1",
    ("N-ACTION", "J"): "7.3.2.6.1",
    ("N-EVENT-REPORT", "J"): "7.3.2.6.4",
}


def of_service(row: Offer | Use) -> tuple[str, str]:
    return row.name, row.section[0]


def rows(number: str) -> list[list[str]]:
    """The cells of the first table of a section, without its head."""
    lines = section(number).split("\n| ", 1)[1].split("\n\n", 1)[0].splitlines()
    return [line.strip("| ").split(" | ") for line in lines[2:]]


def codes(text: str) -> set[int]:
    """The statuses of a cell such as `0110; [A700 … A70F]`."""
    found: set[int] = set()
    for one in text.split("; "):
        first, *last = (int(code, 16) for code in one.strip("[]").split(" … "))
        found |= {*range(first, (last[0] if last else first) + 1)}
    return found


def test_every_service_is_there_with_what_it_answers_and_nothing_else() -> None:
    assert {of_service(offer) for offer in offered().offers} == OFFERED.keys()
    for offer in offered().offers:
        told = [tuple(cell.strip() for cell in row) for row in rows(OFFERED[of_service(offer)])]
        assert sorted(told) == sorted(
            (
                class_of(one.status),
                one.meaning,
                f"{one.status:04X}",
                "" if one.error_id is None else f"{one.error_id:04X}",
                one.when,
            )
            for one in offer.answers
        )


def test_every_use_is_there_with_what_is_done_about_answers_and_nothing_else() -> None:
    assert {of_service(use) for use in USES} == USED.keys()
    for use in USES:
        told = dict(rows(USED[of_service(use)]))
        assert told.pop("anything else") == use.heard.otherwise.value
        for error_id, then in use.heard.error_ids.items():
            assert told.pop(f"any, with the Error ID {error_id:04X}") == then.value
        assert sorted((sorted(codes(text)), then) for text, then in told.items()) == sorted(
            (sorted(statuses), then.value) for statuses, then in use.heard.rows
        )


# Where transactions are told of, by their chapter of PS3.18; others are ours, or younger than the template
IN_OVERVIEW = {"9": "1.3.1", "10": "1.3.2", "11": "1.3.3", "12": "1.3.4", "13": "1.3.5"}
STATUSES = {
    "9.1": "7.3.3.2.1",
    **{f"10.{number}": f"7.3.3.3.{2 * number - 7}" for number in (4, 5, 6)},
    **{f"11.{number}": f"7.3.3.4.{2 * number - 7}" for number in range(4, 13)},
    **{f"12.{number}": f"7.3.3.5.{2 * number - 7}" for number in (4, 5, 6)},
    **{f"13.{number}": f"7.3.3.6.{2 * number - 7}" for number in (4, 5)},
}


def test_every_transaction_is_there_in_its_section_and_no_other() -> None:
    every = (*offered().transactions, offered().uri)
    chapters = {t.section.partition(".")[0] for t in every}
    for number in {IN_OVERVIEW.get(chapter, "1.3.6") for chapter in chapters}:
        assert sorted(rows(number)) == sorted(
            [t.name, t.section, t.method, f"`{t.template}`"]
            for t in every
            if IN_OVERVIEW.get(t.section.partition(".")[0], "1.3.6") == number
        )


def test_every_transaction_is_there_with_its_statuses() -> None:
    for transaction in (*offered().transactions, offered().uri):
        told = dict(rows(STATUSES.get(transaction.section, "7.3.3.7")))
        (statuses,) = [done for names, done in told.items() if transaction.name in names.split("; ")]
        assert statuses == "; ".join(str(int(status)) for status in transaction.done)
    for status in {*map(int, HTTP_STATUS.values()), *REFUSED}:
        assert f"| {status} |" in section("7.3.3.1.1")


def test_every_query_parameter_is_told_of_with_its_transaction() -> None:
    told = [section(number) for number in headings() if number.startswith("5.3.")]
    controls = 0
    for transaction in (*offered().transactions, offered().uri):
        name = re.compile(rf"^\| (.*; )?{transaction.name}[; |]", re.MULTILINE)
        of_it = [text for text in told if name.search(text)]
        for parameter in transaction.parameters:
            if "." not in parameter.name and not parameter.name[0].isupper():
                controls += 1
                assert any(f"| `{parameter.name}` | {parameter.meaning} |" in text for text in of_it), (
                    transaction.name,
                    parameter.name,
                )
    assert controls > 200


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
    roles = dict(re.findall(r"^\| [^|]+ \| ([0-9.]+) \| ([YN] \| [YN]) \|", section("1.1"), re.MULTILINE))
    assert {uid: roles[uid] for uid in STORAGE} == {
        uid: "N | Y" if uid in CATEGORY_OF else "Y | Y" for uid in STORAGE
    }


def test_the_document_has_the_version_of_the_product_and_a_date() -> None:
    assert REVISIONS[0].version == version("diafana")
    assert re.search(
        rf"^Diafana {version('diafana')}:.*\sDate of this document: [0-9-]{{10}}\.", statement(), re.M | re.S
    )


@contextmanager
def parts_in(folder: Path) -> Iterator[Parts]:
    settings = Settings(data=folder)
    migrate(sqlite_url(settings.index_path))
    settings.derived.mkdir()
    parts = Parts(settings, Bell(settings.bell))
    try:
        yield parts
    finally:
        parts.close()


def test_each_courier_turns_to_so_many_systems_at_once(tmp_path: Path) -> None:
    with parts_in(tmp_path) as parts:
        workers = [getattr(run, "__self__", None) for run in couriers(parts)]
    in_rounds = [one for one in workers if isinstance(getattr(one, "_rounds", None), Rounds)]
    assert len(in_rounds) == len(IN_ROUNDS)
    assert f"{AT_ONCE} for each of: {'; '.join(IN_ROUNDS)}." in section("7.1.1")


def test_requests_that_make_us_call_others_are_at_the_routes_that_answer_them(tmp_path: Path) -> None:
    with parts_in(tmp_path) as parts:
        routes = [*peer_routes.router(parts).routes, *remote_resource.router(parts).routes]
    served = {
        (method, re.sub(r"{.*?}", "{}", one.path))
        for one in routes
        if isinstance(one, APIRoute)
        for method in one.methods or ()
    }
    told = re.findall(r"`(GET|POST) (/[^`]+)`", section("6.2.7"))
    assert len(told) == 3
    assert {(method, re.sub(r"{.*?}", "{}", path)) for method, path in told} <= served


def test_a_system_that_is_silent_is_left_as_the_page_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requestor, "ANSWER_TIME", 0.05)
    heard: list[bytes] = []

    def listen(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            while part := connection.recv(65_536):
                heard.append(part)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=listen, args=(server,))
        thread.start()
        with pytest.raises(PeerFailed):
            echo(Peer("SILENT", "127.0.0.1", server.getsockname()[1]), "DIAFANA")
        thread.join()
    said = b"".join(heard)
    was_aborted = len(said) > 6 + int.from_bytes(said[2:6])
    assert [
        "Timeout",
        f"{'A-ABORT, and ' if was_aborted else ''}the connection is closed; else the same",
    ] in rows("7.3.1.1")


def test_a_performed_step_is_passed_on_in_its_own_character_set() -> None:
    step = {
        "00080005": {"vr": "CS", "Value": ["ISO_IR 100"]},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Müller"}]},
    }
    written = STEPS.write(json.dumps(step).encode(), Context(PERFORMED_STEP, EXPLICIT_LITTLE_ENDIAN))
    assert b"ISO_IR 100" in written and "Müller".encode("latin-1") in written
    told = dict(rows("5.7"))
    assert told["performed steps that are passed on"].startswith("that in which the modality told them")
