"""Bulk export of the real service, through a crash."""

import json
import time
from pathlib import Path

import httpx
import pytest
from pydicom import Dataset

from testdata.ct import ct_series
from testdata.files import part10
from testdata.measurement_report import measurement_report
from tests.service import Service

pytestmark = pytest.mark.xdist_group("service")


def keep(service: Service, *datasets: Dataset) -> None:
    for dataset in datasets:
        form = {"Content-Type": "application/dicom"}
        url = f"{service.url}/dicom-web/studies"
        httpx.post(url, content=part10(dataset), headers=form).raise_for_status()


def test_an_export_is_complete_though_the_service_is_killed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    series = ct_series(slices=3, rows=32, columns=32)
    with Service(data, "--workers", "2") as service:
        keep(service, *series, measurement_report(series))
        while not service.get("/fhir/DiagnosticReport").json()["total"]:
            time.sleep(0.05)
        asked = service.get("/fhir/$export", Prefer="respond-async")
        assert asked.status_code == 202
        place = httpx.URL(asked.headers["content-location"]).path
        service.kill()
    with Service(data, "--workers", "2") as service:
        while (status := service.get(place)).status_code == 202:
            time.sleep(0.05)
        assert status.status_code == 200, status.text
        counts = {one["type"]: one["count"] for one in status.json()["output"]}
        assert counts["Patient"] == counts["ImagingStudy"] == counts["DiagnosticReport"] == 1
        assert counts["Observation"] == service.get("/fhir/Observation").json()["total"]
        (study,) = service.get(f"{place}/ImagingStudy.ndjson").text.splitlines()
        assert json.loads(study)["numberOfInstances"] == 4
        assert service.stop() == 0
