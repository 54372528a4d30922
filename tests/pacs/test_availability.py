"""What the change feed makes known systems be told of instances: the follower, up to what waits for them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event, insert

from pacs.archive import Archive
from pacs.availability import FOLLOWER, availability_follower, note_the_rest
from pacs.changes import Bell, Runner
from pacs.index import Availability, Index, InstanceState, Task, schema
from pacs.index.engine import open_engine
from pacs.model import Instance, Peer
from pacs.procedure_steps.performed import PerformedSteps
from testdata.procedure_steps import begun_step, elements, ended_step
from tests.pacs.objects import Changes, picture, stored
from tests.pacs.rejection_notes import STUDY

RIS, VIEWER = (Peer(name, "127.0.0.1", 104, notified=True) for name in ("RIS", "VIEWER"))
STEP, OTHER_STEP = "2.999.42.1", "2.999.42.2"

Run = Callable[[], None]


@pytest.fixture
def rung() -> list[bool]:
    return []


@pytest.fixture
def steps(index: Index) -> PerformedSteps:
    return PerformedSteps(index.worklist, 30.0)


@pytest.fixture
def runner(index: Index, steps: PerformedSteps, tmp_path: Path, rung: list[bool]) -> Runner:
    follower = availability_follower(index, steps, 0.0, lambda: rung.append(True))
    return Runner(index.tasks, [follower], Bell(tmp_path / "bell"))


@pytest.fixture
def run(runner: Runner) -> Run:
    """One turn of the runner, for which every study has come to rest."""

    def turn() -> None:
        runner.read_feed()
        while runner.run_due(lambda: False):
            pass

    return turn


def in_series(number: int) -> Changes:
    return {0x0020000E: ("UI", b"1.2.3.%d" % number)}


def waiting(index: Index) -> list[tuple[str, Availability]]:
    """To whom what is to be told, all of it, which is then told."""
    found = []
    while due := index.notices.due(1e12):
        for message in due:
            found.append((message.destination, Availability.read(index.notices.content(message) or b"")))
            index.notices.done(message)
    return found


def states(*instances: Instance, are_there: bool = True) -> dict[str, list[InstanceState]]:
    """Of one series."""
    listed = [(one.sop_class_uid, one.sop_instance_uid, are_there) for one in instances]
    return {instances[0].series_instance_uid: listed}


def test_each_system_is_told_once_what_is_there_and_then_what_comes_and_goes(
    archive: Archive, index: Index, run: Run, rung: list[bool]
) -> None:
    for peer in (RIS, VIEWER, Peer("OTHER", "127.0.0.1", 104)):
        index.peers.put(peer)
    first, second = (stored(archive, picture(name)) for name in "ab")
    study = first.study_instance_uid
    run()
    there = Availability(study, "", states(first, second))
    assert waiting(index) == [("RIS", there), ("VIEWER", there)]
    assert rung == [True]
    run()
    assert waiting(index) == []
    late = stored(archive, picture("late"))
    archive.deletion.delete(study, first.series_instance_uid, first.sop_instance_uid, "10.1.2.3")
    run()
    (told, _) = waiting(index)
    assert told[1].series == {
        first.series_instance_uid: [*states(late)[first.series_instance_uid]]
        + states(first, are_there=False)[first.series_instance_uid]
    }


def test_what_went_before_the_study_came_to_rest_is_not_there(
    archive: Archive, index: Index, run: Run
) -> None:
    index.peers.put(RIS)
    gone, kept = (stored(archive, picture(name)) for name in "ab")
    archive.deletion.delete(*gone[:3], "10.1.2.3")
    run()
    ((_, told),) = waiting(index)
    assert {uid: is_there for _, uid, is_there in told.series[gone.series_instance_uid]} == {
        gone.sop_instance_uid: False,
        kept.sop_instance_uid: True,
    }
    archive.deletion.restore(gone.sop_instance_uid)
    run()
    ((_, told),) = waiting(index)
    assert told.series == states(gone)


def test_a_study_that_is_deleted_is_told_whole(archive: Archive, index: Index, run: Run) -> None:
    index.peers.put(RIS)
    instances = [stored(archive, picture(str(number), in_series(number % 2))) for number in range(4)]
    run()
    waiting(index)
    archive.deletion.delete(instances[0].study_instance_uid, None, None, "10.1.2.3")
    run()
    ((_, told),) = waiting(index)
    assert told.series == states(*instances[::2], are_there=False) | states(*instances[1::2], are_there=False)


def test_nobody_is_told_of_what_came_before_it_was_to_be_told(
    archive: Archive, index: Index, run: Run, rung: list[bool]
) -> None:
    stored(archive, picture("before"))
    run()
    assert [(one.follower, one.waiting) for one in index.tasks.backlog()] == [(FOLLOWER, 0)]
    index.peers.put(RIS)
    late = stored(archive, picture("late"))
    run()
    ((_, told),) = waiting(index)
    assert told.series == states(late)
    assert rung == [True]


def test_who_is_not_to_be_told_any_more_is_told_nothing_that_waits(
    archive: Archive, index: Index, run: Run
) -> None:
    for peer in (RIS, VIEWER):
        index.peers.put(peer)
    stored(archive, picture("a"))
    run()
    index.peers.put(RIS._replace(notified=False))
    index.peers.remove("VIEWER")
    assert waiting(index) == []


def test_a_study_that_changes_while_it_is_told_goes_on_from_there(
    archive: Archive, index: Index, steps: PerformedSteps, tmp_path: Path
) -> None:
    """Nothing is told twice, and nothing is left out."""
    index.peers.put(RIS)
    follower = availability_follower(index, steps, 0.0, lambda: None)
    came: list[Instance] = []

    def work(task: Task) -> None:
        follower.work(task)
        if len(came) < 3:
            came.append(stored(archive, picture(f"late {len(came)}")))
            own.read_feed()

    own = Runner(index.tasks, [replace(follower, work=work)], Bell(tmp_path / "bell"))
    first = stored(archive, picture("first"))
    own.read_feed()
    while own.run_due(lambda: False):
        pass
    told = [one.series for _, one in waiting(index)]
    assert told == [states(one) for one in (first, *came)]


@pytest.mark.parametrize("end", ["IN PROGRESS", "COMPLETED"])
def test_a_performed_step_is_named_with_what_it_made(
    archive: Archive, index: Index, run: Run, steps: PerformedSteps, end: str
) -> None:
    """While it is at work all is its; then what it names. What is another's is told by itself."""
    index.peers.put(RIS)
    mine, another = (stored(archive, picture(str(number), in_series(number))) for number in (1, 2))
    steps.create(STEP, begun_step((mine.study_instance_uid, "SPS1")))
    steps.create(OTHER_STEP, begun_step(("2.999.42.99", "SPS2")))
    if end == "COMPLETED":
        steps.update(STEP, naming(mine))
    run()
    told = [(one.step, one.series) for _, one in waiting(index)]
    if end == "IN PROGRESS":
        assert told == [(STEP, states(mine) | states(another))]
    else:
        assert told == [(STEP, states(mine)), ("", states(another))]


def test_of_two_steps_each_is_named_with_its_own(
    archive: Archive, index: Index, run: Run, steps: PerformedSteps
) -> None:
    """While both are at work nobody knows which of them made what."""
    index.peers.put(RIS)
    for uid in (STEP, OTHER_STEP):
        steps.create(uid, begun_step((STUDY, "SPS1")))
    one, other = (stored(archive, picture(str(number), in_series(number))) for number in (1, 2))
    run()
    assert [told.step for _, told in waiting(index)] == [""]
    steps.update(STEP, naming(one))
    steps.update(OTHER_STEP, naming(other))
    archive.deletion.delete(one.study_instance_uid, None, None, "10.1.2.3")
    run()
    assert [(told.step, told.series) for _, told in waiting(index)] == [
        (STEP, states(one, are_there=False)),
        (OTHER_STEP, states(other, are_there=False)),
    ]


def naming(instance: Instance) -> dict[str, object]:
    """The end of a step that made the series of this instance."""
    (series,) = ended_step()["00400340"]["Value"]
    uid = elements(SeriesInstanceUID=instance.series_instance_uid)
    return ended_step(PerformedSeriesSequence=[series | uid])


def test_what_has_not_come_to_rest_is_noted_when_the_index_ends(
    archive: Archive, index: Index, steps: PerformedSteps, tmp_path: Path
) -> None:
    index.peers.put(RIS)
    bell = Bell(tmp_path / "bell")
    first = stored(archive, picture("first"))
    note_the_rest(index, steps, bell)  # before there was a follower
    assert waiting(index) == []
    runner = Runner(index.tasks, [availability_follower(index, steps, 1000.0, lambda: None)], bell)
    runner.read_feed()
    unread = stored(archive, picture("unread"))
    note_the_rest(index, steps, bell)
    ((_, told),) = waiting(index)
    assert told.series == states(first, unread)


@pytest.fixture
def statements(index: Index) -> Iterator[list[str]]:
    """What the index is asked."""
    asked: list[str] = []

    def note(*arguments: object) -> None:
        asked.append(str(arguments[2]))

    event.listen(index._engine, "before_cursor_execute", note)
    yield asked
    event.remove(index._engine, "before_cursor_execute", note)


def test_a_big_study_is_one_notification_and_costs_no_more_statements(
    index: Index, runner: Runner, statements: list[str]
) -> None:
    index.peers.put(RIS)
    asked = []
    for study, number in (("1.2.1", 5), ("1.2.2", 5_000)):
        change(index, study, number)
        runner.read_feed()
        before = len(statements)
        runner.run_due(lambda: False)
        asked.append(len(statements) - before)
        ((_, told),) = waiting(index)
        assert sum(map(len, told.series.values())) == number
    assert asked[0] == asked[1]


def change(index: Index, study: str, number: int) -> None:
    """So many instances came, of ten series."""
    url = index._engine.url.render_as_string(hide_password=False)
    engine = open_engine(url)
    rows = [
        {
            "at": 0.0,
            "action": "created",
            "study_instance_uid": study,
            "series_instance_uid": f"{study}.{one % 10}",
            "sop_instance_uid": f"{study}.0.{one}",
            "sop_class_uid": "1.2.840.10008.5.1.4.1.1.2",
        }
        for one in range(number)
    ]
    with engine.begin() as connection:
        connection.execute(insert(schema.change), rows)
    engine.dispose()
