"""What tests share: an archive of their own, validators of FHIR, files of others if there are any."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx._config import DEFAULT_TIMEOUT_CONFIG
from hypothesis import HealthCheck, settings

from pacs.archive import Archive
from pacs.files import DiskFiles
from pacs.files.derived import DerivedFiles
from pacs.index import Index, migrate, sqlite_url
from testdata import pynetdicom_reactor
from tests.validators import Validators, are_missing

# How long an example takes says nothing of whether it is right.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# Nor how long a busy machine takes to answer, for which httpx waits 5 seconds unless it is told otherwise.
DEFAULT_TIMEOUT_CONFIG.connect = DEFAULT_TIMEOUT_CONFIG.read = DEFAULT_TIMEOUT_CONFIG.write = 60.0

pynetdicom_reactor.mend()

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test marked `needs(program)` is skipped where the program is absent; in CI it fails by trying."""
    for item in items:
        for marker in item.iter_markers("needs"):
            missing = [name for name in marker.args if shutil.which(name) is None]
            if missing and not os.environ.get("CI"):
                item.add_marker(pytest.mark.skip(reason=f"{', '.join(missing)} not installed"))


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    url = sqlite_url(tmp_path / "index.sqlite")
    migrate(url)
    index = Index(url)
    yield index
    index.close()


@pytest.fixture
def files(tmp_path: Path) -> DiskFiles:
    return DiskFiles(tmp_path)


@pytest.fixture
def archive(tmp_path: Path, index: Index, files: DiskFiles) -> Archive:
    return Archive(files, DerivedFiles(tmp_path / "derived"), index, "DIAFANA", "/dicom-web", lambda: None)


@pytest.fixture(scope="session")
def validators() -> Iterator[Validators]:
    """For tests of the group "validators", so that they begin once."""
    if are_missing():
        pytest.skip("the validators are not there: `npm ci` in tests/validators")
    with Validators() as engines:
        yield engines
