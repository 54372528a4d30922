"""Where settings come from, which of them win, and which are refused."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from diafana.settings import Settings
from pacs.model import EVERYTHING, Permission
from tests.diafana.commands import diafana


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"DIAFANA_{name.upper()}", raising=False)
    monkeypatch.delenv("DIAFANA_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere" / "any.toml"
    path.parent.mkdir()
    monkeypatch.setenv("DIAFANA_CONFIG", str(path))
    return path


def faults(error: pytest.ExceptionInfo[ValidationError]) -> set[str]:
    return {str(problem["loc"][0]) for problem in error.value.errors()}


def test_it_starts_on_this_machine_without_any_setting() -> None:
    settings = Settings()
    assert (settings.host, settings.http_port, settings.dimse_port) == ("127.0.0.1", 8080, 11112)
    assert (settings.aet, settings.data) == ("DIAFANA", Path("data"))
    assert 1 <= settings.workers <= 4


def test_command_line_before_environment_before_file(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text('aet = "FILE"\nhttp_port = 1001\nrest_seconds = 0.5\n')
    monkeypatch.setenv("DIAFANA_AET", "ENVIRONMENT")
    monkeypatch.setenv("DIAFANA_HTTP_PORT", "1002")
    settings = Settings(http_port=1003)
    assert (settings.rest_seconds, settings.aet, settings.http_port) == (0.5, "ENVIRONMENT", 1003)


def test_a_file_in_the_working_folder_is_read_unless_another_is_named(tmp_path: Path) -> None:
    (tmp_path / "diafana.toml").write_text('aet = "HERE"\ndata = "archive"\n')
    assert (Settings().aet, Settings().data) == ("HERE", Path("archive"))


def test_a_file_that_is_named_replaces_the_one_in_the_working_folder(config: Path, tmp_path: Path) -> None:
    (tmp_path / "diafana.toml").write_text('aet = "HERE"\n')
    config.write_text("workers = 3\n")
    assert (Settings().aet, Settings().workers) == ("DIAFANA", 3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("http_port", "65536"),
        ("dimse_port", "-1"),
        ("workers", "0"),
        ("workers", "many"),
        ("maximum_associations", "0"),
        ("maximum_associations_per_address", "-3"),
        ("association_idle_seconds", "0"),
        ("rest_seconds", "-1"),
        ("shutdown_seconds", "soon"),
        ("fhir_subscription_endpoints", "ehr.example.org"),
        ("fhir_subscription_endpoints", "https://ehr.example.org https://x@ehr.example.org"),
        ("fhir_subscription_endpoints", "https://ehr.example.org/?a=b"),
        ("recycle_days", "-1"),
        ("recycle_days", "inf"),
        ("recycle_days", "nan"),
        ("recycle_days", "36501"),
        ("delete", "perhaps"),
        ("unprotected", "perhaps"),
        ("accept_unknown_sop_classes", "2"),
        ("worklist_fallback", "ONE,BACK\\SLASH"),
        ("worklist_fallback", "ONE,SEVENTEEN_LETTERS"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"DIAFANA_{name.upper()}", value)
    with pytest.raises(ValidationError) as error:
        Settings()
    assert {fault.partition(".")[0] for fault in faults(error)} == {name}


@pytest.mark.parametrize(
    ("value", "kept"), [("", ()), ("ONE", ("ONE",)), (" ONE , WARD 2,,", ("ONE", "WARD 2"))]
)
def test_ae_titles_are_parted_by_commas(
    value: str, kept: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIAFANA_WORKLIST_FALLBACK", value)
    assert Settings().worklist_fallback == kept


def test_a_name_that_is_no_setting_is_refused_in_the_file(config: Path) -> None:
    config.write_text("htpp_port = 80\n")
    with pytest.raises(ValidationError) as error:
        Settings()
    assert faults(error) == {"htpp_port"}


@pytest.mark.parametrize(
    "value", ["", " ", "SEVENTEEN_LETTERS", "BACK\\SLASH", "LINE\nBREAK", "TAB\tTAB", "CAFÈ", "A" * 100]
)
def test_what_is_no_ae_title_is_refused(value: str) -> None:
    with pytest.raises(ValidationError) as error:
        Settings(aet=value)
    assert faults(error) == {"aet"}


@pytest.mark.parametrize(
    ("value", "kept"), [("A", "A"), ("SIXTEEN LETTERS!", "SIXTEEN LETTERS!"), (" STORE 1 ", "STORE 1")]
)
def test_an_ae_title_is_kept_without_the_spaces_around_it(value: str, kept: str) -> None:
    assert Settings(aet=value).aet == kept


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.0.2.7", "pacs.example.org", "127.0.0.1.example.org", ""]
)
def test_listening_beyond_this_machine_must_be_wished(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="DIAFANA_UNPROTECTED"):
        Settings(host=host)
    monkeypatch.setenv("DIAFANA_UNPROTECTED", "true")
    assert Settings(host=host).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_alone_needs_no_leave(host: str) -> None:
    assert Settings(host=host).host == host


def test_settings_stay_as_they_were_read() -> None:
    settings = Settings()
    with pytest.raises(ValidationError):
        settings.aet = "OTHER"  # type: ignore[misc]


def test_the_command_names_every_wrong_setting(tmp_path: Path) -> None:
    done = diafana("serve", "--http-port", "99999", "--aet", "A\\B", cwd=tmp_path, DIAFANA_WORKERS="none")
    assert done.code == 2
    assert [line.partition(":")[0] for line in done.err.splitlines()] == ["http_port", "aet", "workers"]


def test_the_command_refuses_to_listen_beyond_this_machine(tmp_path: Path) -> None:
    done = diafana("serve", "--host", "0.0.0.0", "--data", tmp_path / "data")
    assert done.code == 2
    assert "DIAFANA_UNPROTECTED=true" in done.err
    assert not (tmp_path / "data").exists()


def test_a_file_that_is_no_toml_is_told_of(config: Path) -> None:
    config.write_text("aet: DIAFANA\n")
    done = diafana("verify", "--data", config.parent, DIAFANA_CONFIG=str(config))
    assert done.code == 2
    assert str(config) in done.err


def test_a_file_that_is_named_must_be_there(config: Path) -> None:
    done = diafana("verify", "--data", config.parent, DIAFANA_CONFIG=str(config))
    assert done.code == 2
    assert str(config) in done.err


def test_what_may_be_asked_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    store, query, retrieve = Permission
    assert (Settings().unknown_peers, Settings().called_otherwise) == (EVERYTHING, EVERYTHING)
    monkeypatch.setenv("DIAFANA_UNKNOWN_PEERS", "store, query")
    monkeypatch.setenv("DIAFANA_CALLED_OTHERWISE", "nothing")
    monkeypatch.setenv("DIAFANA_CALLED", "DIAFANA: store, VIEW ERS:query retrieve,")
    settings = Settings()
    assert settings.unknown_peers == {store, query}
    assert settings.called_otherwise == frozenset()
    assert settings.called == {"DIAFANA": {store}, "VIEW ERS": {query, retrieve}}


def test_what_may_be_asked_is_said_in_a_file(config: Path) -> None:
    config.write_text('unknown_peers = ["store"]\ncalled_otherwise = []\n[called]\nVIEWERS = "query"\n')
    settings = Settings()
    assert settings.unknown_peers == {Permission.STORE}
    assert settings.called_otherwise == frozenset()
    assert settings.called == {"VIEWERS": {Permission.QUERY}}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("unknown_peers", "everything"),
        ("unknown_peers", ""),
        ("unknown_peers", "nothing store"),
        ("called", "DIAFANA"),
        ("called", "DIAFANA:"),
        ("called", "A TITLE THAT IS TOO LONG: store"),
        ("tls_client_certificate", "perhaps"),
    ],
)
def test_what_may_not_be_asked_so_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"DIAFANA_{name.upper()}", value)
    with pytest.raises(ValidationError) as error:
        Settings()
    assert faults(error) == {name}


def test_a_port_for_tls_needs_certificates() -> None:
    for given, said in (
        ({}, "needs tls_certificate"),
        ({"tls_certificate": Path("here.pem")}, "needs tls_authorities"),
    ):
        with pytest.raises(ValidationError, match=said):
            Settings(dimse_tls_port=2762, **given)  # type: ignore[arg-type]
    Settings(dimse_tls_port=2762, tls_certificate=Path("here.pem"), tls_client_certificate="none")
