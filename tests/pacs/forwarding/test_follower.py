"""What the change feed makes the rules ask for."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import Dataset

from pacs import changes
from pacs.archive import Archive
from pacs.changes import Bell, Runner
from pacs.errors import InvalidQuery
from pacs.forwarding.follower import AT_REST, PROMPT, follower_of, forward_followers
from pacs.index import Index
from pacs.keys import parse_named
from pacs.model import ForwardRule, Source
from testdata.ct import ct_series
from testdata.files import part10
from testdata.mr import mr_series

Run = Callable[[], None]


@pytest.fixture
def rung() -> list[bool]:
    return []


@pytest.fixture
def run(archive: Archive, index: Index, tmp_path: Path, rung: list[bool]) -> Run:
    """One turn of the runner, for which every series has come to rest."""
    followers = forward_followers(archive, index, 0.0, lambda: rung.append(True))
    runner = Runner(index.tasks, followers, Bell(tmp_path / "bell"))

    def turn() -> None:
        runner.read_feed()
        while runner.run_due(lambda: False):
            pass

    return turn


def keep(archive: Archive, datasets: list[Dataset], ae_title: str = "CT1") -> None:
    for dataset in datasets:
        incoming = archive.sender(Source(ae_title, "10.1.2.3")).begin_part10()
        incoming.write(part10(dataset))
        archive.store(incoming)


def asked(index: Index) -> dict[str, list[str]]:
    """What is asked to be sent, by destination."""
    found: dict[str, list[str]] = {}
    for due in index.outbox.due(1e12):
        uids = [uid for _, uid in index.outbox.unsent(due.transaction_uid, 1000)]
        found[due.destination] = sorted(found.get(due.destination, []) + uids)
    return found


def uids(*series: list[Dataset]) -> list[str]:
    return sorted(str(one.SOPInstanceUID) for images in series for one in images)


CT, MR = ct_series(slices=3, rows=16, columns=16), mr_series(slices=2, rows=16, columns=16)


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ((), [CT, MR]),
        ((("Modality", "CT"),), [CT]),
        ((("Modality", "CT\\MR"),), [CT, MR]),
        ((("Modality", "CT"), ("Modality", "MR")), [CT, MR]),
        ((("PatientName", str(MR[0].PatientName).lower()),), [MR]),
        ((("StudyDate", "19000101-"), ("SOPClassUID", CT[0].SOPClassUID)), [CT]),
        ((("InstanceNumber", str(CT[1].InstanceNumber)), ("Modality", "CT")), [CT[1:2]]),
        ((("Modality", "US"),), []),
    ],
)
def test_what_fits_the_keys_is_asked_for_once(
    archive: Archive,
    index: Index,
    run: Run,
    rung: list[bool],
    keys: tuple[tuple[str, str], ...],
    found: list[list[Dataset]],
) -> None:
    index.forwarding.add(ForwardRule("rule", "OTHER", keys=keys))
    keep(archive, [*CT, *MR])
    run()
    assert asked(index) == ({"OTHER": uids(*found)} if found else {})
    assert bool(rung) == bool(found)
    index.tasks.restart(AT_REST)  # all is read anew, as after a new index
    run()
    assert asked(index) == ({"OTHER": uids(*found)} if found else {})


@pytest.mark.parametrize(
    "key",
    [
        ("Color", "red"),
        ("Modality", ""),
        ("Modality", "*"),
        ("ImageType", "ORIGINAL"),
        ("StudyDate", "today"),
    ],
)
def test_a_key_that_would_send_more_than_was_meant_is_refused(key: tuple[str, str]) -> None:
    with pytest.raises(InvalidQuery, match=key[0]):
        parse_named([key])


def test_only_what_comes_from_the_named_sender(archive: Archive, index: Index, run: Run) -> None:
    index.forwarding.add(ForwardRule("rule", "OTHER", source="CT1"))
    keep(archive, CT, "CT1")
    keep(archive, MR, "MR1")
    run()
    assert asked(index) == {"OTHER": uids(CT)}


def test_nothing_goes_back_to_who_has_sent_it(archive: Archive, index: Index, run: Run) -> None:
    index.forwarding.add(ForwardRule("there", "OTHER"))
    index.forwarding.add(ForwardRule("back", "CT1"))
    keep(archive, CT, "CT1")
    run()
    assert asked(index) == {"OTHER": uids(CT)}


def test_what_was_there_is_sent_only_where_that_was_asked(archive: Archive, index: Index, run: Run) -> None:
    keep(archive, CT)
    new, all_of_it = ForwardRule("new", "NEW"), ForwardRule("all", "ALL")
    index.forwarding.add(new)
    index.forwarding.add(all_of_it, follower_of(all_of_it))
    keep(archive, MR)
    run()
    assert asked(index) == {"NEW": uids(MR), "ALL": uids(CT, MR)}


def test_a_series_that_grows_is_sent_on_in_parts(archive: Archive, index: Index, run: Run) -> None:
    index.forwarding.add(ForwardRule("rule", "OTHER", is_prompt=True))
    keep(archive, CT[:2])
    run()
    assert asked(index) == {"OTHER": uids(CT[:2])}
    keep(archive, CT)
    run()
    assert asked(index) == {"OTHER": uids(CT)}
    assert len(index.outbox.due(1e12)) == 2


def test_a_rule_that_waits_asks_when_the_series_is_at_rest(
    archive: Archive, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "GATHER", 0.0)
    index.forwarding.add(ForwardRule("rule", "OTHER"))
    runner = Runner(
        index.tasks, forward_followers(archive, index, 1000.0, lambda: None), Bell(tmp_path / "bell")
    )
    keep(archive, CT)
    runner.read_feed()
    assert not runner.run_due(lambda: False)
    assert asked(index) == {}
    (waiting,) = [one for one in index.tasks.backlog() if one.waiting]
    assert waiting.follower == AT_REST


def test_without_rules_storing_is_followed_by_nothing(archive: Archive, index: Index, run: Run) -> None:
    keep(archive, CT)
    run()
    assert {(one.follower, one.behind, one.waiting) for one in index.tasks.backlog()} == {
        (AT_REST, 0, 0),
        (PROMPT, 0, 0),
    }
    index.forwarding.add(ForwardRule("rule", "OTHER"))
    keep(archive, MR)
    run()
    assert asked(index) == {"OTHER": uids(MR)}


def test_what_was_deleted_meanwhile_is_not_asked_for(archive: Archive, index: Index, run: Run) -> None:
    index.forwarding.add(ForwardRule("rule", "OTHER"))
    keep(archive, CT)
    archive.deletion.delete(CT[0].StudyInstanceUID, None, None, "10.1.2.3")
    run()
    assert asked(index) == {}


def test_a_rule_that_fails_holds_up_no_other_and_is_tried_again(
    archive: Archive, index: Index, run: Run
) -> None:
    index.forwarding.add(ForwardRule("a", "ONE", keys=(("NoLongerAKey", "1"),)))
    index.forwarding.add(ForwardRule("b", "OTHER"))
    keep(archive, CT)
    run()
    assert asked(index) == {"OTHER": uids(CT)}
    (waiting,) = [one for one in index.tasks.backlog() if one.waiting]
    assert waiting.follower == AT_REST
