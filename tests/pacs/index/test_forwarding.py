"""The rules of forwarding and what they asked for, on both databases."""

import time
from pathlib import Path

from pacs.files import DiskFiles
from pacs.index import Index, Progress, Removal, migrate, sqlite_url
from pacs.index.outbox import CANCELED
from pacs.model import ForwardRule
from pacs.upkeep import read_record
from tests.pacs.index.test_write import record

RULE = ForwardRule("night", "OTHER", "CT1", (("Modality", "CT"),), "22:00-06:00", 100_000, is_prompt=True)


def rule_of(index: Index, name: str = "night") -> ForwardRule:
    return next(rule for rule in index.forwarding.rules() if rule.name == name)


def write(index: Index, files: DiskFiles, *names: str) -> list[str]:
    """Store pictures of one series; their SOP Instance UIDs."""
    records = [record(files, name) for name in names]
    index.writer.write(records)
    return [one.instance.sop_instance_uid for one in records]


def unasked(index: Index, name: str = "night") -> list[str]:
    first = next(iter(index.walk()))
    found = index.forwarding.unasked(rule_of(index, name), *first[:2])
    return sorted(one.sop_instance_uid for one in found)


def ask(index: Index, uid: str, due: float = 0.0) -> None:
    first = next(iter(index.walk()))
    rule = rule_of(index)
    index.forwarding.ask(rule, uid, index.forwarding.unasked(rule, *first[:2]), due)


def test_rules_are_kept(index: Index) -> None:
    assert index.forwarding.add(RULE)
    assert not index.forwarding.add(RULE._replace(destination="ANOTHER"))
    assert [rule._replace(key=0) for rule in index.forwarding.rules()] == [RULE]
    assert index.forwarding.pause("night", True)
    assert rule_of(index).is_paused
    assert not index.forwarding.pause("day", True)
    assert index.forwarding.remove("night")
    assert not index.forwarding.remove("night")
    assert index.forwarding.rules() == []


def test_what_was_there_before_is_not_asked_for_and_nothing_twice(index: Index, files: DiskFiles) -> None:
    write(index, files, "a")
    index.forwarding.add(RULE)
    assert unasked(index) == []
    new = write(index, files, "b", "c")
    assert unasked(index) == sorted(new)
    ask(index, "2.999.41.1")
    assert unasked(index) == []
    (last,) = write(index, files, "d")
    assert unasked(index) == [last]
    assert len(index.outbox.unsent("2.999.41.1", 10)) == 2


def test_what_comes_in_the_place_of_what_was_deleted_is_new(index: Index, files: DiskFiles) -> None:
    """SQLite gives the greatest key again when its row has gone."""
    write(index, files, "a")
    kept = write(index, files, "b")
    index.forwarding.add(RULE)
    study, series, uid, *_ = next(one for one in index.walk() if one.sop_instance_uid == kept[0])
    assert index.remover.delete(study, series, uid, Removal("deleted", "")) == 1
    new = write(index, files, "c", "d")
    assert unasked(index) == sorted(new)


def test_every_series_is_looked_at_for_a_rule_of_what_is_stored(index: Index, files: DiskFiles) -> None:
    (old,) = write(index, files, "a")
    index.forwarding.add(RULE, "prompt forwarding")
    (task,) = index.tasks.due(time.time(), 10)
    first = next(iter(index.walk()))
    assert (task.follower, task.study_instance_uid, task.series_instance_uid) == (
        "prompt forwarding",
        *first[:2],
    )
    assert unasked(index) == [old]
    # Another rule while the task is at work: it is run once more
    index.forwarding.add(RULE._replace(name="other"), "prompt forwarding")
    index.tasks.done([task])
    (again,) = index.tasks.due(time.time(), 10)
    assert again.sequence != task.sequence
    index.tasks.done([again])
    assert index.tasks.due(time.time(), 10) == []


def test_a_request_waits_while_its_rule_is_paused(index: Index, files: DiskFiles) -> None:
    index.forwarding.add(RULE)
    write(index, files, "a")
    ask(index, "2.999.41.1")
    rule = rule_of(index)
    assert index.forwarding.rule_of("2.999.41.1") == rule
    assert [due.transaction_uid for due in index.outbox.due(time.time())] == ["2.999.41.1"]
    index.forwarding.pause("night", True)
    assert (index.outbox.due(time.time()), index.outbox.next_due()) == ([], None)
    index.forwarding.pause("night", False)
    assert len(index.outbox.due(time.time())) == 1
    later = time.time() + 100
    index.outbox.hold("2.999.41.1", later)
    assert index.outbox.due(time.time()) == []
    assert index.forwarding.progress(rule) == Progress(1, 0, 0, later, "")
    assert index.outbox.due(later)[0].attempts == 0


def test_what_a_rule_asked_for_is_counted_and_cancelled_with_it(index: Index, files: DiskFiles) -> None:
    index.forwarding.add(RULE)
    write(index, files, "a", "b", "c", "d")
    ask(index, "2.999.41.1", due=5.0)
    keys = [key for key, _ in index.outbox.unsent("2.999.41.1", 10)]
    index.outbox.note([*zip(keys, (0, 0xB000, 0xA900), strict=False)])
    assert index.forwarding.progress(rule_of(index)) == Progress(1, 2, 1, 5.0, "")
    assert index.forwarding.remove("night")
    told = index.outbox.sending("2.999.41.1")
    assert told is not None
    assert (told.has_ended, told.remaining, told.failed[-1][2]) == (True, 0, CANCELED)
    assert index.outbox.due(time.time()) == []


def test_a_rule_that_has_gone_asks_for_nothing(index: Index, files: DiskFiles) -> None:
    index.forwarding.add(RULE)
    write(index, files, "a")
    rule = rule_of(index)
    instances = list(index.walk())
    index.forwarding.remove("night")
    index.forwarding.ask(rule, "2.999.41.1", instances, 0.0)
    assert index.outbox.sending("2.999.41.1") is None


def test_rules_outlive_a_new_index(index: Index, files: DiskFiles, tmp_path: Path) -> None:
    """In which instances have other keys: some were deleted, and so what comes next has lower ones."""
    write(index, files, "gone", "too")
    write(index, files, "old")
    for one in list(index.walk())[:2]:
        index.remover.delete(*one[:3], Removal("deleted", ""))
    index.forwarding.add(RULE)
    write(index, files, "a")
    ask(index, "2.999.41.1")
    (waiting,) = write(index, files, "b")
    url = sqlite_url(tmp_path / "new.sqlite")
    migrate(url)
    new = Index(url)
    new.writer.write([read_record(files, one.file) for one in index.walk()])
    old = index._engine.url.render_as_string(hide_password=False)
    new.worklist.copy_from(old)
    new.forwarding.renumber(old)
    assert rule_of(new) == rule_of(index)
    assert unasked(new) == [waiting]
    (late,) = write(new, files, "c")
    assert unasked(new) == sorted([waiting, late])
    new.close()
