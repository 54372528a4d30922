"""The table and the page."""

import io

from rich.console import Console

from bench import report
from bench.figures import Readings
from bench.rounds import Results
from bench.rows import ROWS, Row
from bench.servers import OURS, PEER

BY_NAME = {row.name: row for row in ROWS}
STORE, MEMORY, FRAMES = BY_NAME["store-ct"], BY_NAME["memory"], BY_NAME["frames"]


def results(peer: bool = True) -> Results:
    of = {
        ("store-ct", OURS.name): Readings([200.0, 240.0, 220.0]),
        ("memory", OURS.name): Readings([150.4]),
        ("frames", OURS.name): Readings([1000.0, 1100.0, 1050.0]),
    }
    if peer:
        of["store-ct", PEER.name] = Readings([100.0, 110.0, 120.0])
        of["memory", PEER.name] = Readings([33.0])
        of["frames", PEER.name] = Readings([300.0, 250.0, 350.0])
    return Results(of, {"storescp-ct": Readings([275.0])}, {OURS.name: "Diafana 1", PEER.name: "Orthanc 2"})


def cells(row: Row, found: Results) -> tuple[str, ...]:
    return report.lines([row], found)[0].cells


def test_a_row_beside_the_peer() -> None:
    assert cells(STORE, results()) == (
        "C-STORE CT 512x512x16, 1 association",
        "220 inst/s",
        "110 inst/s",
        "2.0x (1.8-2.2)",
        "≥ 1.5x",
        "yes",
        "0.8 of storescp's 275 inst/s",
    )


def test_a_missed_target_is_named() -> None:
    lines = report.lines([STORE, FRAMES], results())
    assert lines[1].cells[3:6] == ("3.5x (3.0-4.4)", "≥ 5x", "NO")
    assert report.missed(lines) == [FRAMES.title]


def test_without_a_peer_only_targets_of_our_own_are_judged() -> None:
    lines = report.lines([STORE, MEMORY], results(peer=False))
    assert lines[0].cells[2:6] == ("no peer", "-", "≥ 1.5x", "-")
    assert lines[1].cells[1:6] == ("150 MB", "no peer", "-", "< 200 MB", "yes")
    assert report.missed(lines) == []
    assert report.unjudged(lines) == 1


def test_a_row_without_a_target_is_neither_met_nor_missed() -> None:
    row = BY_NAME["memory-once"]
    lines = report.lines([row], Results({(row.name, OURS.name): Readings([180.0])}))
    assert lines[0].cells[1:6] == ("180 MB", "no peer", "-", "-", "-")
    assert report.missed(lines) == []
    assert report.unjudged(lines) == 0


def test_a_failure_is_shown_and_is_no_figure() -> None:
    found = results()
    found.of["store-ct", OURS.name].failure = "one instance is missing"
    lines = report.lines([STORE], found)
    assert lines[0].cells[1] == "failed"
    assert lines[0].cells[5] == "-"
    assert report.failures(lines) == [
        "C-STORE CT 512x512x16, 1 association, Diafana: one instance is missing"
    ]


def test_the_terminal_shows_every_row() -> None:
    output = io.StringIO()
    Console(file=output, width=200).print(report.terminal_table(report.lines([STORE, FRAMES], results())))
    assert STORE.title in output.getvalue()
    assert "3.5x" in output.getvalue()


def test_the_page_holds_versions_facts_table_and_failures() -> None:
    found = results()
    found.of["frames", PEER.name].failure = "wrk: 3 refused"
    lines = report.lines([STORE, FRAMES], found)
    run = report.Run(found.versions, {"Kernel": "Linux 6"}, rounds=3, minutes=7)
    page = report.PAGES[0].text(lines, run)
    assert "Diafana 1 beside Orthanc 2" in page
    assert "- Kernel: Linux 6" in page
    assert "median of 3 rounds" in page
    assert f"| {STORE.title} | 220 inst/s | 110 inst/s | 2.0x (1.8-2.2) | ≥ 1.5x | yes |" in page
    assert "- Not measured: WADO-RS frame 512x512x16, Orthanc: wrk: 3 refused" in page


def test_every_row_is_on_one_page() -> None:
    assert [sum(page.has(row) for page in report.PAGES) for row in ROWS] == [1] * len(ROWS)


def test_searches_among_a_million_are_on_a_page_that_needs_no_peer() -> None:
    row = BY_NAME["qido-id"]
    found = Results({(row.name, OURS.name): Readings([3.0, 5.0, 4.0])}, {}, {OURS.name: "Diafana 1"})
    (page,) = (page for page in report.PAGES if page.has(row))
    text = page.text(report.lines([row], found), report.Run(found.versions, {}, rounds=3, minutes=7))
    assert not page.needs_peer
    assert f"| {row.title} | 4.00 ms | no peer | - | < 50 ms | yes |" in text
