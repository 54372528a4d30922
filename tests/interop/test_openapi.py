"""schemathesis asks the running service whatever its OpenAPI document allows, and much that it does not."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from testdata.ct import ct_series
from testdata.dose_report import dose_report
from testdata.files import part10
from testdata.non_patient import hanging_protocol
from tests.service import Service

pytestmark = pytest.mark.xdist_group("openapi")

CT = ct_series(slices=3, rows=16, columns=16)
KNOWN = {
    "study": CT[0].StudyInstanceUID,
    "series": CT[0].SeriesInstanceUID,
    "instance": CT[0].SOPInstanceUID,
    "frames": "1",
    "path": "7FE00010",
    "uid": hanging_protocol().SOPInstanceUID,
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("openapi") / "data", "--workers", "1") as service:
        for dataset in (*CT, dose_report(), hanging_protocol()):
            headers = {"Content-Type": "application/dicom"}
            answer = httpx.post(f"{service.url}/dicom-web/studies", content=part10(dataset), headers=headers)
            answer.raise_for_status()
        yield service


@schemathesis.serializer("application/dicom", "multipart/related")
def as_it_is(_: schemathesis.SerializationContext, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


EXAMPLES = settings(max_examples=25, suppress_health_check=list(HealthCheck), derandomize=True)


@pytest.mark.timeout(1800)
def test_nothing_that_is_asked_is_a_failure_of_the_service(service: Service) -> None:
    described = schemathesis.openapi.from_url(f"{service.url}/openapi.json")
    operations = [result.ok() for result in described.get_all_operations() if isinstance(result, Ok)]
    assert len(operations) > 20
    for operation in operations:
        for mode in GenerationMode:
            _ask_everything(operation.as_strategy(generation_mode=mode))


def _ask_everything(cases: SearchStrategy[Any]) -> None:
    @given(cases)
    @EXAMPLES
    def ask(case: Any) -> None:
        _ask(case)

    ask()


def _ask(case: Any) -> None:
    # Half of them of what is there, or nothing but 404 would be seen
    if len(str(case.query)) % 2:
        case.path_parameters.update({k: v for k, v in KNOWN.items() if k in case.path_parameters})
    response = case.call(timeout=30)
    asked = f"{case.method} {response.request.url}"
    assert response.status_code < 500, f"{asked}: {response.text}"
    if response.status_code < 400 and "DICOMweb" in (case.operation.tags or ()):
        assert str(response.status_code) in case.operation.definition.raw["responses"], asked
    if response.status_code >= 400:
        told = response.headers["content-type"][0]  # of a store request, what became of each object
        assert told == "application/problem+json" or (case.method == "POST" and "dicom" in told), asked
