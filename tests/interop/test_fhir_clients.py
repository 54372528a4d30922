"""Clients of others for FHIR against the running service: fhirpy, fhirclient and fhir-kit-client."""

import asyncio
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from fhirclient.client import FHIRClient
from fhirclient.models.diagnosticreport import DiagnosticReport
from fhirclient.models.imagingstudy import ImagingStudy
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRNotFoundException
from fhirpy import AsyncFHIRClient, SyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound
from pydicom import Dataset

from testdata.ct import ct_series
from testdata.measurement_report import measurement_report
from testdata.written_report import heart_report
from tests.interop.test_web import eventually
from tests.pacs.dimse.peer import store
from tests.service import Service

pytestmark = pytest.mark.xdist_group("service")

NODE = Path(__file__).parents[1] / "fhir_clients"


@dataclass(frozen=True)
class Served:
    """The service with the reports of two patients, and what a plain GET finds of them."""

    url: str
    measured: Dataset
    heart: Dataset

    def get(self, path: str) -> Any:
        """What stands at a path of the FHIR API."""
        return requests.get(f"{self.url}/{path}", timeout=30).json()

    def ids(self, search: str) -> list[str]:
        """The ids of what a search finds."""
        return [entry["resource"]["id"] for entry in self.get(f"{search}&_count=1000").get("entry", [])]

    @property
    def family(self) -> str:
        """The family name of one of the patients."""
        return str(self.heart.PatientName.family_name)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    ct = ct_series(slices=3, rows=32, columns=32)
    reports = measurement_report(ct), heart_report()
    with Service(tmp_path_factory.mktemp("clients") / "data") as service:
        for dataset in (*ct, *reports):
            assert store(service.dimse_port, dataset).Status == 0
        served = Served(f"{service.url}/fhir", *reports)
        eventually(lambda: served.get("DiagnosticReport?_summary=count")["total"] == len(reports))
        yield served


class TestFhirpy:
    def test_it_reads_and_is_told_what_is_not_there(self, served: Served) -> None:
        client = SyncFHIRClient(served.url)
        study = client.get("ImagingStudy", served.measured.StudyInstanceUID)
        assert study["numberOfInstances"] == 4
        statement = client.execute("metadata", method="get")
        assert statement["fhirVersion"] == "4.0.1"
        with pytest.raises(ResourceNotFound):
            client.get("ImagingStudy", "1.2.3")

    def test_it_reads_again_what_has_changed_alone(self, served: Served) -> None:
        client = SyncFHIRClient(served.url)
        path = f"Observation/{served.ids('Observation?')[0]}"
        version = client.execute(path, method="get")["meta"]["versionId"]
        known = {"If-None-Match": f'W/"{version}"'}
        assert client._do_request("get", path, extra_headers=known, returning_status=True) == (None, 304)

    def test_it_goes_through_all_pages(self, served: Served) -> None:
        observations = SyncFHIRClient(served.url).resources("Observation")
        all_of_them = observations.limit(7).fetch_all()
        assert [one.id for one in all_of_them] == served.ids("Observation?")
        assert observations.count() == len(all_of_them) > 14
        assert [one.id for one in observations.limit(7)] == served.ids("Observation?")

    def test_it_searches_by_chains_and_prefixes(self, served: Served) -> None:
        observations = SyncFHIRClient(served.url).resources("Observation")
        chained = observations.search(patient__family=served.family).fetch_all()
        assert [one.id for one in chained] == served.ids(f"Observation?patient.family={served.family}")
        assert 0 < len(chained) < observations.count()
        of_patient = observations.search(patient=chained[0].subject.reference, date__ge="1900-01-01")
        assert of_patient.count() == len(chained)
        assert observations.search(date__lt="1900-01-01").first() is None
        newest = SyncFHIRClient(served.url).resources("DiagnosticReport").sort("-date").fetch_all()
        assert [one.effectiveDateTime for one in newest] == sorted(
            (one.effectiveDateTime for one in newest), reverse=True
        )

    def test_it_takes_what_belongs_to_the_matches(self, served: Served) -> None:
        reports = SyncFHIRClient(served.url).resources("DiagnosticReport")
        bundle = (
            reports.include("DiagnosticReport", "patient").include("DiagnosticReport", "result").fetch_raw()
        )
        kinds = {entry.resource.resourceType for entry in bundle.entry}
        assert kinds == {"DiagnosticReport", "Patient", "Observation"}
        study = (
            SyncFHIRClient(served.url).resources("ImagingStudy").search(_id=served.measured.StudyInstanceUID)
        )
        raw = study.revinclude("Observation", "part-of").fetch_raw()
        said = {entry.resource.id for entry in raw.entry if entry.resource.resourceType == "Observation"}
        assert said == set(served.ids(f"Observation?part-of={served.measured.StudyInstanceUID}"))

    def test_an_error_names_the_parameter(self, served: Served) -> None:
        observations = SyncFHIRClient(served.url).resources("Observation")
        with pytest.raises(OperationOutcome) as error:
            observations.search(date="tomorrow").fetch()
        assert "date" in error.value.resource["issue"][0]["diagnostics"]
        with pytest.raises(OperationOutcome):
            SyncFHIRClient(served.url).resource("Patient", name=[{"family": "Neri"}]).save()

    def test_it_does_the_same_while_others_wait(self, served: Served) -> None:
        async def ask() -> Any:
            client = AsyncFHIRClient(served.url)
            observations = client.resources("Observation").search(patient__family=served.family)
            patient = client.get("Patient", served.ids("Patient?")[0])
            return await asyncio.gather(observations.limit(2).fetch_all(), patient)

        observations, patient = asyncio.run(ask())
        assert [one.id for one in observations] == served.ids(f"Observation?patient.family={served.family}")
        assert patient["resourceType"] == "Patient"


class TestFhirclient:
    @pytest.fixture
    def server(self, served: Served) -> Any:
        client = FHIRClient({"app_id": "diafana", "api_base": served.url})
        assert client.prepare()
        return client.server

    def test_it_understands_what_the_server_can_do(self, server: Any) -> None:
        statement = server.capabilityStatement
        assert statement.fhirVersion == "4.0.1"
        assert "Observation" in {one.type for one in statement.rest[0].resource}

    def test_it_reads_every_resource_into_its_models(self, served: Served, server: Any) -> None:
        study = ImagingStudy.read(served.measured.StudyInstanceUID, server)
        assert sum(len(series.instance) for series in study.series) == 4
        assert study.subject.resolved(Patient).name[0].family == served.measured.PatientName.family_name
        for kind in (Patient, ImagingStudy, Observation, DiagnosticReport):
            for one in kind.where({}).perform_resources_iter(server):
                assert one.as_json() == served.get(f"{one.resource_type}/{one.id}")
        with pytest.raises(FHIRNotFoundException):
            Observation.read("nothing", server)

    def test_it_searches_through_all_pages(self, served: Served, server: Any) -> None:
        pages = list(Observation.where({"_count": "7"}).perform_iter(server))
        found = [entry.resource.id for page in pages for entry in page.entry]
        assert len(pages) > 2
        assert found == served.ids("Observation?")
        assert {page.total for page in pages} == {len(found)}
        chained = Observation.where({"patient.family": served.family}).perform_resources_iter(server)
        assert [one.id for one in chained] == served.ids(f"Observation?patient.family={served.family}")

    def test_it_takes_what_belongs_to_the_matches(self, server: Any) -> None:
        search = DiagnosticReport.where({}).include("subject").include("result")
        found = {one.resource_type for one in search.perform_resources_iter(server)}
        assert found == {"DiagnosticReport", "Patient", "Observation"}
        reverse = Patient.where({}).include("subject", Observation, reverse=True)
        assert {one.resource_type for one in reverse.perform_resources_iter(server)} == {
            "Patient",
            "Observation",
        }

    def test_it_is_told_of_errors_and_of_what_it_has(self, served: Served, server: Any) -> None:
        with pytest.raises(requests.HTTPError) as error:
            list(Observation.where({"date": "tomorrow"}).perform_iter(server))
        assert error.value.response is not None
        assert error.value.response.json()["resourceType"] == "OperationOutcome"
        path = f"Observation/{served.ids('Observation?')[0]}"
        version = served.get(path)["meta"]["versionId"]
        assert server.request_data(path, {"If-None-Match": f'W/"{version}"'}) == b""
        assert json.loads(server.request_data(path, {"If-None-Match": 'W/"0"'})) == served.get(path)


@pytest.mark.skipif(
    not (NODE / "node_modules").is_dir() and not os.environ.get("CI"),
    reason="fhir-kit-client is not there: `npm ci` in tests/fhir_clients",
)
def test_fhir_kit_client(served: Served) -> None:
    command = ["node", str(NODE / "drive.js"), served.url, served.family]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["reads"], told["creates"], told["searchesByFamily"]) == (True, True, True)
    assert len(told["pages"]) > 2
    assert [one for page in told["pages"] for one in page] == served.ids("Observation?")
    assert told["chainedByPost"] == served.ids(f"Observation?patient.family={served.family}") != []
    included = [one["resourceType"] for one in told["included"]]
    assert included.count("Patient") == 2
    assert set(included) == {"Patient", "DiagnosticReport"}
    assert told["same"]
    assert told["resolved"]["name"][0]["family"] == served.family
    assert told["notModified"]["status"] == 304
    for name, status in (("nothing", 404), ("noDate", 400), ("refused", 405)):
        assert told[name]["status"] == status
        assert told[name]["answer"]["resourceType"] == "OperationOutcome"
