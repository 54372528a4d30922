"""The durable side of the followers: the feed, cursors, tasks, dead letters."""

import pytest

from pacs.archive import Archive
from pacs.index import Backlog, Index, Plan, Task, Tasks
from pacs.model import Action
from tests.pacs.objects import picture, stored

A, B, C = ("1.1", "", ""), ("1.2", "", ""), ("1.3", "", "")


@pytest.fixture
def tasks(index: Index) -> Tasks:
    return index.tasks


def plan(
    tasks: Tasks, follower: str, subjects: dict[tuple[str, str, str], int], due: float, cursor: int
) -> None:
    tasks.plan([Plan(follower, subjects, due, cursor)])


def subjects(found: list[Task]) -> list[str]:
    return [task.study_instance_uid for task in found]


def test_the_feed_tells_every_instance_once_and_in_order(archive: Archive, tasks: Tasks) -> None:
    instances = [stored(archive, picture(str(number))) for number in range(5)]
    changes = tasks.changes(0, 100)
    assert [change.sop_instance_uid for change in changes] == [one.sop_instance_uid for one in instances]
    first = changes[0]
    assert (first.action, first.study_instance_uid, first.series_instance_uid, first.sop_class_uid) == (
        Action.CREATED,
        instances[0].study_instance_uid,
        instances[0].series_instance_uid,
        instances[0].sop_class_uid,
    )
    assert tasks.changes(0, 2) == changes[:2]
    assert tasks.changes(changes[1].sequence, 100) == changes[2:]
    assert tasks.changes(changes[-1].sequence, 100) == []


def test_a_cursor_is_kept_for_each_follower_across_processes(index_url: str, tasks: Tasks) -> None:
    plan(tasks, "one", {}, 0.0, 7)
    plan(tasks, "other", {}, 0.0, 3)
    plan(tasks, "one", {}, 0.0, 9)
    again = Index(index_url)
    assert again.tasks.cursors() == {"one": 9, "other": 3}
    again.close()


def test_tasks_are_due_at_their_time_and_the_longest_waiting_first(tasks: Tasks) -> None:
    assert tasks.next_due() is None
    plan(tasks, "one", {A: 1}, 30.0, 1)
    plan(tasks, "one", {B: 2}, 10.0, 2)
    plan(tasks, "other", {C: 3}, 20.0, 3)
    assert subjects(tasks.due(9.9, 10)) == []
    assert subjects(tasks.due(20.0, 10)) == ["1.2", "1.3"]
    assert subjects(tasks.due(99.0, 10)) == ["1.2", "1.3", "1.1"]
    assert subjects(tasks.due(99.0, 1)) == ["1.2"]
    assert tasks.next_due() == 10.0


def test_plans_for_several_followers_are_put_down_together(tasks: Tasks) -> None:
    tasks.plan([Plan("one", {A: 1, B: 1}, 10.0, 4), Plan("other", {A: 2}, 20.0, 5)])
    assert [(task.follower, task.study_instance_uid) for task in tasks.due(99.0, 10)] == [
        ("one", "1.1"),
        ("one", "1.2"),
        ("other", "1.1"),
    ]
    assert tasks.cursors() == {"one": 4, "other": 5}


def test_a_follower_may_begin_anew(archive: Archive, tasks: Tasks) -> None:
    stored(archive, picture("a"))
    tasks.plan([Plan("one", {A: 1}, 10.0, 1), Plan("other", {A: 1}, 10.0, 1)])
    tasks.restart("one")
    assert [task.follower for task in tasks.due(99.0, 10)] == ["other"]
    assert tasks.cursors() == {"other": 1}


def test_a_subject_asked_for_again_is_one_task_put_off(tasks: Tasks) -> None:
    plan(tasks, "one", {A: 1}, 10.0, 1)
    plan(tasks, "one", {A: 5}, 50.0, 5)
    plan(tasks, "other", {A: 5}, 20.0, 5)
    assert [(task.follower, task.sequence) for task in tasks.due(99.0, 10)] == [("other", 5), ("one", 5)]


def test_a_task_that_is_done_is_forgotten(tasks: Tasks) -> None:
    plan(tasks, "one", {A: 1, B: 1, C: 1}, 10.0, 1)
    first, second, third = tasks.due(10.0, 10)
    tasks.done([first, third])
    assert tasks.due(10.0, 10) == [second]


@pytest.mark.parametrize("end", ["done", "failed", "given up"])
def test_a_task_asked_for_again_while_it_ran_is_run_again(tasks: Tasks, end: str) -> None:
    plan(tasks, "one", {A: 1}, 10.0, 1)
    (running,) = tasks.due(10.0, 10)
    plan(tasks, "one", {A: 2}, 20.0, 2)
    if end == "done":
        tasks.done([running])
    else:
        tasks.failed(running, "it failed", 99.0 if end == "failed" else None)
    (again,) = tasks.due(20.0, 10)
    assert (again.sequence, again.attempts) == (2, 0)


def test_a_task_knows_all_that_changed_since_it_was_done(archive: Archive, tasks: Tasks) -> None:
    """Whatever came in between, however often it was asked for, failed, or was given up."""
    instances = [stored(archive, picture(str(number))) for number in range(6)]
    one, two, three, _, five, last = (change.sequence for change in tasks.changes(0, 100))
    subject = (instances[0].study_instance_uid, "", "")

    def changed() -> list[str]:
        (task,) = tasks.due(99.0, 10)
        return [change.sop_instance_uid for change in tasks.changes_of(task)]

    uids = [instance.sop_instance_uid for instance in instances]
    tasks.plan([Plan("one", {subject: two}, 0.0, two, since=one)])
    assert changed() == uids[1:2]
    tasks.plan([Plan("one", {subject: three}, 0.0, three, since=two)])
    (running,) = tasks.due(99.0, 10)
    tasks.failed(running, "it failed", None)
    tasks.plan([Plan("one", {subject: five}, 0.0, five, since=three)])
    assert changed() == uids[1:5]
    (running,) = tasks.due(99.0, 10)
    tasks.plan([Plan("one", {subject: last}, 0.0, last, since=five)])
    tasks.done([running])
    assert changed() == uids[5:]
    tasks.plan([Plan("one", {("2.999", "", ""): last}, 0.0, last)])
    (_, other) = tasks.due(99.0, 10)
    assert tasks.changes_of(other) == []


def test_a_task_that_failed_is_tried_again_at_its_time(tasks: Tasks) -> None:
    plan(tasks, "one", {A: 1}, 10.0, 1)
    for attempt in range(3):
        (task,) = tasks.due(10.0 + attempt, 10)
        assert task.attempts == attempt
        tasks.failed(task, "it failed", 11.0 + attempt)
        assert tasks.due(10.0 + attempt, 10) == []
        assert tasks.next_due() == 11.0 + attempt


def test_a_task_given_up_stays_visible_and_is_not_due(tasks: Tasks) -> None:
    plan(tasks, "one", {A: 1, B: 1}, 10.0, 1)
    task = tasks.due(10.0, 1)[0]
    tasks.failed(task, "it failed " * 1000, None)
    assert subjects(tasks.due(99.0, 10)) == ["1.2"]
    assert tasks.backlog() == [Backlog("one", -1, 1, 1)]


def test_a_task_given_up_gets_another_chance_when_asked_for(tasks: Tasks) -> None:
    plan(tasks, "one", {A: 1}, 10.0, 1)
    tasks.failed(tasks.due(10.0, 1)[0], "it failed", None)
    plan(tasks, "one", {A: 2}, 20.0, 2)
    (task,) = tasks.due(20.0, 10)
    assert (task.sequence, task.attempts) == (2, 0)


def test_the_backlog_tells_how_each_follower_stands(archive: Archive, tasks: Tasks) -> None:
    for number in range(4):
        stored(archive, picture(str(number)))
    sequences = [change.sequence for change in tasks.changes(0, 10)]
    plan(tasks, "one", {A: 1, B: 1}, 10.0, sequences[-1])
    plan(tasks, "other", {C: 1}, 10.0, sequences[0])
    assert tasks.backlog() == [Backlog("one", 0, 2, 0), Backlog("other", 3, 1, 0)]


def test_what_is_settled_ends_before_what_waits(tasks: Tasks) -> None:
    assert tasks.settled(["one", "other"]) == 0
    tasks.plan([Plan("one", {A: 3}, 10.0, 9), Plan("other", {}, 10.0, 7)])
    assert tasks.settled(["one", "other"]) == 2
    assert tasks.settled(["other"]) == 7
    (waiting,) = tasks.due(20.0, 10)
    tasks.failed(waiting, "given up", None)
    assert tasks.settled(["one", "other"]) == 7
    assert tasks.settled(["one", "nobody"]) == 0
