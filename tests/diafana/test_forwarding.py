"""Forwarding by rules, with the real service: two of them, receivers, and kill -9 in between."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from testdata.ct import ct_series
from testdata.mr import mr_series
from tests.diafana.sending import command, here, know, send, uids
from tests.pacs.dimse.scp import free_port, receiver
from tests.service import Service
from tests.waiting import wait_until

TAKEN = ([CTImageStorage], [str(ExplicitVRLittleEndian)])
CT, MR = ct_series(slices=6, rows=32, columns=32), mr_series(slices=2, rows=16, columns=16)

pytestmark = pytest.mark.xdist_group("service")


def service(data: Path, *options: str) -> Service:
    return Service(data, "--workers", "1", *options, DIAFANA_REST_SECONDS="0.5")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def forward(data: Path, *arguments: object) -> str:
    done = command(data, "forward", *arguments)
    assert done.code == 0, done.err
    return done.out


def rules(of: Service) -> dict[str, dict[str, Any]]:
    return {rule["name"]: rule for rule in of.get("/forwarding").json()}


def test_a_second_archive_is_sent_what_fits_and_sends_nothing_back(data: Path, tmp_path: Path) -> None:
    with service(data, "--aet", "FIRST") as first, service(tmp_path / "second", "--aet", "SECOND") as second:
        know(data, "SECOND", second.dimse_port)
        know(tmp_path / "second", "FIRST", first.dimse_port)
        send(first, MR)  # before there is a rule
        forward(data, "add", "images", "SECOND", "Modality=CT", "--from", "CT1")
        forward(tmp_path / "second", "add", "all", "FIRST")
        send(first, CT)
        wait_until(lambda: here(second) == uids(CT))
        send(second, MR, "MR1")
        wait_until(lambda: rules(second)["all"]["sent"] == len(MR))
        assert here(second) == uids([*CT, *MR])
        wait_until(lambda: rules(first)["images"]["waiting"] == 0)
        assert rules(first)["images"]["sent"] == len(CT)
        assert here(first) == uids([*CT, *MR])
    assert "6 sent, 0 failed" in forward(data, "list")


def test_each_image_is_asked_for_once_whatever_is_killed(data: Path) -> None:
    """The follower, or the courier at work: what was told to be sent was, and nothing is asked for again."""
    with receiver(*TAKEN, _slowly) as other:
        with service(data) as first:
            know(data, "OTHER", other.peer.port)
            forward(data, "add", "all", "OTHER")
            send(first, CT[:4])
            first.kill()  # before the series came to rest
        with service(data) as first:
            wait_until(lambda: len(other.received) >= 2)
            first.kill()
        with service(data) as first:
            wait_until(lambda: rules(first)["all"]["sent"] == 4)
            send(first, CT)  # it grows
            wait_until(lambda: rules(first)["all"]["sent"] == len(CT))
            assert rules(first)["all"]["waiting"] == 0
    assert set(other.uids) == set(uids(CT))
    assert other.uids.count(str(CT[-1].SOPInstanceUID)) == 1


def _slowly(_: object) -> int:
    time.sleep(0.3)
    return 0


def test_a_rule_is_paused_goes_on_and_is_removed(data: Path) -> None:
    with receiver(*TAKEN) as other, service(data) as first:
        know(data, "OTHER", other.peer.port)
        forward(data, "add", "all", "OTHER", "--at-once", "--limit", "1000000")
        forward(data, "pause", "all")
        send(first, CT[:3])
        wait_until(lambda: rules(first)["all"]["waiting"] == 3)
        assert (rules(first)["all"]["paused"], other.received) == (True, [])
        forward(data, "resume", "all")
        wait_until(lambda: rules(first)["all"]["sent"] == 3)
        assert sorted(other.uids) == uids(CT[:3])
        forward(data, "remove", "all")
        send(first, CT[3:])
        forward(data, "add", "again", "OTHER", "InstanceNumber=1", "--also-stored")
        wait_until(lambda: rules(first)["again"]["sent"] == 1)
        assert len(other.received) == 4


def test_what_is_not_there_is_tried_again_and_told(data: Path) -> None:
    with service(data) as first:
        port = free_port()
        know(data, "OTHER", port)
        forward(data, "add", "night", "OTHER", "Modality=CT")
        send(first, CT)
        wait_until(lambda: "refused" in rules(first)["night"]["error"])
        shown = forward(data, "show", "night")
        assert "Connection refused" in shown
        assert "Modality=CT" in shown
        with receiver(*TAKEN, port=port) as other:
            wait_until(lambda: rules(first)["night"]["sent"] == len(CT))
            assert sorted(other.uids) == uids(CT)


@pytest.mark.usefixtures("known")
def test_what_cannot_be_a_rule_is_named(data: Path) -> None:
    for arguments, code, said in (
        (("add", "x", "NOBODY"), 1, "peer add NOBODY"),
        (("add", "x", "OTHER", "Color=red"), 2, "Color"),
        (("add", "x", "OTHER", "Modality"), 2, "Modality: it has no value"),
        (("add", "x", "OTHER", "StudyDate=soon"), 2, "StudyDate"),
        (("add", "x", "OTHER", "--hours", "10pm"), 2, "22:00-06:00"),
        (("add", "x", "OTHER", "--limit", "1"), 2, "limit"),
        (("add", "there", "OTHER"), 1, "There is a rule there already"),
        (("pause", "x"), 1, "There is no rule x"),
        (("resume", "x"), 1, "There is no rule x"),
        (("show", "x"), 1, "There is no rule x"),
        (("remove", "x"), 1, "There is no rule x"),
    ):
        done = command(data, "forward", *arguments)
        assert (done.code, said in done.err) == (code, True), done.err


@pytest.fixture
def known(data: Path) -> Iterator[None]:
    know(data, "OTHER", 104)
    forward(data, "add", "there", "OTHER")
    yield


@pytest.mark.usefixtures("known")
def test_rules_outlive_a_new_index(data: Path) -> None:
    with receiver(*TAKEN) as other:
        know(data, "OTHER", other.peer.port)
        with service(data) as first:
            send(first, CT[:4])
            wait_until(lambda: rules(first)["there"]["sent"] == 4)
        assert command(data, "reindex").code == 0
        with service(data) as first:
            send(first, CT[4:])
            wait_until(lambda: rules(first)["there"]["sent"] == len(CT))
    assert sorted(other.uids) == uids(CT)
    assert json.loads(json.dumps(rules_told(data)))[0].startswith("there")


def rules_told(data: Path) -> list[str]:
    return forward(data, "list").splitlines()
