"""Looking after the archive from the command line, and what it says when something is wrong."""

import re
import shutil
import socket
from pathlib import Path

import pytest
from pydicom import Dataset
from typer.testing import CliRunner

from diafana.cli import app
from diafana.importing import Importer, Journal, Summary, find_items
from diafana.settings import Settings
from pacs.archive import Archive
from pacs.files import DiskFiles
from pacs.files.derived import DerivedFiles
from pacs.index import Index, migrate, sqlite_url
from pacs.model import Instance, Level
from pacs.query import Query
from testdata import broken
from testdata.ct import ct_series
from testdata.files import write_folder
from testdata.mr import mr_series
from tests.diafana.commands import Command, diafana
from tests.service import Service

COMMANDS = ("serve", "import", "verify", "reindex", "recycled", "restore")


def put(data: Path, *objects: Dataset) -> Summary:
    """Import objects into a data folder, as `diafana import` does."""
    write_folder(objects, data.parent / "cd")
    migrate(sqlite_url(data / "index.sqlite"))
    index = Index(sqlite_url(data / "index.sqlite"))
    importer = Importer(archive_of(data, index), journal := Journal(data / "imports", [data.parent / "cd"]))
    for item in find_items([data.parent / "cd"]):
        importer.take(item)
    importer.settle()
    journal.forget()
    index.close()
    return importer.summary


def archive_of(data: Path, index: Index) -> Archive:
    return Archive(
        DiskFiles(data), DerivedFiles(data / "derived"), index, "DIAFANA", "/dicom-web", lambda: None
    )


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with two studies."""
    data = tmp_path_factory.mktemp("imported") / "data"
    (data / "derived").mkdir(parents=True)
    objects = [*ct_series(slices=3, rows=16, columns=16), *mr_series(slices=2, rows=16, columns=16)]
    assert put(data, *objects).counts == {"stored": 5}
    return data


@pytest.fixture
def filled(imported: Path, tmp_path: Path) -> Path:
    """A copy of it to do harm to."""
    shutil.copytree(imported, tmp_path / "data", ignore=shutil.ignore_patterns("bell"))
    return tmp_path / "data"


def instances(data: Path) -> list[Instance]:
    index = Index(sqlite_url(data / "index.sqlite"))
    found = sorted(index.walk(), key=lambda instance: instance.sop_instance_uid)
    index.close()
    return found


def answers(data: Path) -> list[list[object]]:
    """All that the archive answers: searches at each level, and the metadata of each instance."""
    index = Index(sqlite_url(data / "index.sqlite"))
    archive = archive_of(data, index)
    levels = (Level.PATIENT, Level.STUDY, Level.SERIES, Level.INSTANCE)
    found: list[list[object]] = [[one.attributes for one in archive.search(Query(level))] for level in levels]
    found.append([archive.metadata(instance) for instance in index.walk()])
    index.close()
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert f"{command} [OPTIONS]" in result.output
    assert "--data" in result.output
    assert "DIAFANA_DATA" in result.output


def test_the_command_alone_lists_what_it_can_do() -> None:
    output = CliRunner().invoke(app, ["--help"]).output
    assert set(COMMANDS) <= set(re.findall(r"[a-z]+", output))


def test_the_options_of_serve_tell_their_environment_variables() -> None:
    output = CliRunner().invoke(app, ["serve", "--help"], env={"COLUMNS": "300"}).output
    for option in ("--host", "--http-port", "--dimse-port", "--aet", "--workers"):
        name = option.removeprefix("--").replace("-", "_")
        assert option in output
        assert f"DIAFANA_{name.upper()}" in output
        assert str(Settings.model_fields[name].description).rstrip(".")[:30] in output


def test_a_sound_archive_is_intact(filled: Path) -> None:
    done = diafana("verify", "--data", filled)
    assert (done.code, done.out.strip(), done.err) == (0, "5 of 5 instances are intact.", "")


def test_what_was_deleted_is_listed_and_restored(filled: Path) -> None:
    before = instances(filled)
    index = Index(sqlite_url(filled / "index.sqlite"))
    study = next(index.walk()).study_instance_uid
    count = archive_of(filled, index).deletion.delete(study, None, None, "10.1.2.3")
    index.close()
    listed = diafana("recycled", "--data", filled)
    (line,) = listed.out.splitlines()
    assert f"{count} instances  deleted  study {study}" in line
    assert line.endswith("by 10.1.2.3")
    done = diafana("restore", study, "--data", filled)
    assert (done.code, done.out.split()) == (0, [str(count), "restored"])
    assert instances(filled) == before
    again = diafana("restore", study, "--data", filled)
    assert (again.code, again.out) == (1, "")
    assert again.err.strip() == f"Nothing that was deleted bears {study}."


def test_damage_is_found_and_named(filled: Path) -> None:
    lost, flipped, cut, _, _ = instances(filled)
    (filled / "objects" / lost.file).unlink()
    path = filled / "objects" / flipped.file
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    path = filled / "objects" / cut.file
    path.write_bytes(path.read_bytes()[:-2])
    done = diafana("verify", "--data", filled)
    assert done.code == 1
    assert done.out.strip() == "2 of 5 instances are intact."
    assert sorted(done.err.splitlines()) == sorted(
        [
            f"damaged {lost.sop_instance_uid}: the file is gone",
            f"damaged {flipped.sop_instance_uid}: the content has changed",
            f"damaged {cut.sop_instance_uid}: the file has {cut.size - 2} bytes instead of {cut.size}",
        ]
    )


def test_damage_of_the_file_meta_information_is_found(filled: Path) -> None:
    instance = instances(filled)[0]
    path = filled / "objects" / instance.file
    content = path.read_bytes()
    syntax = instance.transfer_syntax_uid.encode()
    place = content.index(syntax) + len(syntax) - 1
    path.write_bytes(content[:place] + b"2" + content[place + 1 :])  # big endian, where it is little
    assert diafana("verify", "--data", filled).code == 1


def test_an_archive_that_was_never_served_is_verified(filled: Path) -> None:
    shutil.rmtree(filled / "derived")
    assert diafana("verify", "--data", filled).out.strip() == "5 of 5 instances are intact."


def test_what_is_no_archive_is_not_called_intact(tmp_path: Path) -> None:
    (tmp_path / "dta" / "derived").mkdir(parents=True)
    done = diafana("verify", "--data", tmp_path / "dta")
    assert done.code != 0
    assert not (tmp_path / "dta" / "index.sqlite").exists()


def test_a_new_index_gives_the_same_answers(filled: Path) -> None:
    before = answers(filled)
    assert [len(found) for found in before] == [2, 2, 2, 5, 5]
    done = diafana("reindex", "--data", filled)
    assert (done.code, done.out.strip()) == (0, "5 instances indexed, 0 files left out.")
    assert answers(filled) == before


def test_the_index_comes_back_from_nothing(filled: Path) -> None:
    before = answers(filled)
    for path in filled.glob("index.sqlite*"):
        path.unlink()
    assert diafana("reindex", "--data", filled).code == 0
    assert answers(filled) == before
    assert diafana("verify", "--data", filled).code == 0


def test_reindexing_leaves_the_quarantine_alone(filled: Path) -> None:
    (conflicting, *_) = ct_series(slices=3, rows=16, columns=16)
    conflicting.ImageComments = "other content"
    assert put(filled, conflicting).counts == {"refused": 1}
    aside = {path: path.read_bytes() for path in (filled / "quarantine").iterdir()}
    before = answers(filled)
    assert len(aside) == 1
    assert diafana("reindex", "--data", filled).code == 0
    assert {path: path.read_bytes() for path in (filled / "quarantine").iterdir()} == aside
    assert answers(filled) == before


def test_files_that_cannot_be_indexed_are_named(filled: Path) -> None:
    lost = instances(filled)[0]
    path = filled / "objects" / lost.file
    path.write_bytes(broken.truncated_in_header())
    done = diafana("reindex", "--data", filled)
    assert done.code == 1
    assert f"left out {lost.file}: " in done.err
    assert done.out.strip() == "4 instances indexed, 1 files left out."
    assert len(instances(filled)) == 4


def test_a_running_service_keeps_its_folder_to_itself(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Service(data) as service:
        other = Command("serve", "--data", data, "--http-port", "0", "--dimse-port", "0")
        reindex = Command("reindex", "--data", data)
        for done in (other.wait(), reindex.wait()):
            assert done.code == 1
            assert done.err.startswith("Cannot ")
            assert f"another service uses {data} already" in done.err
            assert "Traceback" not in done.err
        assert service.get("/readyz").status_code == 200
        assert not list(data.glob("index.new*"))


@pytest.mark.parametrize("option", ["--http-port", "--dimse-port"])
def test_a_port_that_is_taken_is_told(option: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        others = {"--http-port": "0", "--dimse-port": "0", option: str(port)}
        arguments = [part for pair in others.items() for part in pair]
        done = diafana("serve", "--data", tmp_path / "data", *arguments)
    assert done.code == 1
    assert done.err.startswith(f"Cannot start: cannot listen at 127.0.0.1:{port}: ")
    assert option in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("command", ["serve", "reindex"])
def test_a_data_folder_that_cannot_be_used_is_told(command: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = diafana(command, "--data", tmp_path / "file" / "data")
    assert done.code == 1
    assert done.err.startswith("Cannot ")
    assert str(tmp_path / "file" / "data") in done.err


@pytest.mark.parametrize("arguments", [("verify",), ("import", ".")])
def test_looking_at_a_data_folder_that_cannot_be_used(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = diafana(*arguments, "--data", tmp_path / "file" / "data", cwd=tmp_path)
    assert done.code in (1, 2)
    assert str(tmp_path / "file" / "data") in done.err


@pytest.mark.parametrize("command", ["serve", "verify"])
def test_an_index_that_is_none_is_told(command: str, data: Path) -> None:
    (data / "index.sqlite").write_bytes(b"this is no database" * 1000)
    ports = ("--http-port", "0", "--dimse-port", "0") if command == "serve" else ()
    done = diafana(command, "--data", data, *ports)
    assert done.code == 1
    assert "reindex" in done.err


def test_an_index_that_is_none_is_made_anew(filled: Path) -> None:
    before = answers(filled)
    for path in filled.glob("index.sqlite-*"):
        path.unlink()
    (filled / "index.sqlite").write_bytes(b"this is no database" * 1000)
    done = diafana("reindex", "--data", filled)
    assert done.code == 1  # for the worklist is in no file
    assert "left out the worklist: it is left in index.old" in done.err
    assert (filled / "index.old").read_bytes().startswith(b"this is no database")
    assert answers(filled) == before


def test_a_command_says_what_is_no_setting(tmp_path: Path) -> None:
    done = diafana("recycled", "--data", tmp_path, DIAFANA_HTPP_PORT="80", DIAFANA_AET="A")
    assert done.err.splitlines()[0] == "DIAFANA_HTPP_PORT is no setting, and has no effect"
    assert "DIAFANA_AET" not in done.err
    config = tmp_path / "any.toml"
    config.write_text("htpp_port = 80\n")
    done = diafana("recycled", DIAFANA_CONFIG=str(config))
    assert (done.code, done.err) == (2, "htpp_port: there is no such setting\n")


def test_a_refusal_is_in_our_words_alone() -> None:
    done = diafana("recycled", DIAFANA_HOST="0.0.0.0")
    assert done.code == 2
    assert done.err.startswith("settings: 0.0.0.0 can be reached from other machines")
