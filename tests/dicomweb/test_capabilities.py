"""The Capabilities Description (PS3.18 8.9, Annex H) and OpenAPI, from the table that makes the routes."""

import re
from typing import Any
from xml.etree import ElementTree

import pytest
from starlette.routing import Route

from dicomweb import parameters, search_parameters
from dicomweb.app import DicomWeb
from dicomweb.openapi import paths
from pacs.model import Level
from tests.dicomweb.conftest import Library

WADL = "application/vnd.sun.wadl+xml"
W = "{http://wadl.dev.java.net/2009/02}"


@pytest.fixture
def dicomweb(library: Library) -> DicomWeb:
    return library.service.services


def described(element: ElementTree.Element, path: str = "") -> set[tuple[str, str]]:
    """Method and path of all that a WADL document tells of."""
    found = {(method.get("name", ""), path) for method in element.findall(f"{W}method")}
    for resource in element.findall(f"{W}resource"):
        found |= described(resource, f"{path}/{resource.get('path')}")
    return found


def described_in_json(resources: list[dict[str, Any]], path: str = "") -> set[tuple[str, str]]:
    found = set()
    for resource in resources:
        at = f"{path}/{resource['path']}"
        found |= {(method["name"], at) for method in resource["methods"]}
        found |= described_in_json(resource["resources"], at)
    return found


def test_the_description_tells_of_all_routes_and_of_nothing_else(
    library: Library, dicomweb: DicomWeb
) -> None:
    routes = {
        (method, re.sub(":path", "", route.path.removeprefix("/dicom-web")))
        for route in dicomweb.routes
        if isinstance(route, Route) and route.path.startswith("/dicom-web/")
        for method in (route.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert len(routes) > 20
    response = library.http.options("/", headers={"Accept": WADL})
    assert (response.status_code, response.headers["content-type"]) == (200, WADL)
    (resources,) = ElementTree.fromstring(response.content)
    assert resources.get("base") == library.service.url
    assert described(resources) == routes
    told = library.http.options("/", headers={"Accept": "application/json"}).json()
    assert told["base"] == library.service.url
    assert described_in_json(told["resources"]) == routes


def test_a_resource_describes_itself_and_what_is_below(library: Library) -> None:
    response = library.http.options("/studies/1.2/series")
    (resources,) = ElementTree.fromstring(response.content)
    paths = {path for _, path in described(resources)}
    assert "/studies/{study}/series" in paths
    assert "/studies/{study}/series/{series}/metadata" in paths
    assert "/studies" not in paths
    assert response.headers["allow"] == "GET, OPTIONS"


def test_a_method_tells_what_it_takes_and_gives(library: Library) -> None:
    (resources,) = ElementTree.fromstring(library.http.options("/studies").content)
    methods = {method.get("id"): method for method in resources.iter(f"{W}method")}
    store = methods["StoreInstances"]
    offered = {option.get("value") for option in store.iter(f"{W}option")}
    assert {'multipart/related; type="application/dicom"', "application/dicom+json"} <= offered
    search = {param.get("name") for param in methods["SearchForStudies"].iter(f"{W}param")}
    assert {"PatientName", "fuzzymatching", "limit", "Accept"} <= search


def test_the_description_comes_in_no_other_form(library: Library) -> None:
    assert library.http.options("/", headers={"Accept": "image/jpeg"}).status_code == 406


def test_the_controls_of_a_search_are_those_that_are_described() -> None:
    told = {parameter.name for parameter in parameters.SEARCH}
    heeded = {*search_parameters._CONTROLS, *search_parameters.MATCHING}
    assert told == heeded - {"charset"}


@pytest.mark.parametrize("level", Level)
def test_every_key_that_is_described_is_understood(level: Level) -> None:
    for parameter in parameters.search_parameters(level):
        asked = search_parameters.parse_search(level, [(parameter.name, parameter.example)])
        assert asked.warnings == (), parameter.name
        assert not parameter.pattern or re.search(parameter.pattern, parameter.example)


def test_openapi_tells_of_every_transaction(dicomweb: DicomWeb) -> None:
    told = paths(dicomweb.transactions, "/dicom-web")
    assert {(method.upper(), path) for path, methods in told.items() for method in methods} == {
        (t.method, f"/dicom-web{t.template}") for t in dicomweb.transactions
    }
    operations = [operation for methods in told.values() for operation in methods.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    metadata = told["/dicom-web/studies/{study}/metadata"]["get"]
    assert "application/dicom+json" in metadata["responses"]["200"]["content"]
    assert [p["name"] for p in metadata["parameters"] if p["in"] == "path"] == ["study"]


def test_what_is_not_there_is_told_as_a_problem(library: Library) -> None:
    for method, path, status in (("GET", "/nonsense", 404), ("PUT", "/studies", 405)):
        response = library.http.request(method, path)
        assert response.status_code == status
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == status
    assert "POST" in library.http.put("/studies").headers["allow"]


# Which object is asked for what is told of a resource
SHOWN = {
    "Retrieve Rendered Instance": ("ct", "pdf", "film"),
    "Retrieve Rendered Frames": ("ct",),
    "Retrieve Rendered Series": ("ct",),
    "Retrieve Rendered Study": ("ct",),
    "Retrieve Instance Thumbnail": ("ct",),
    "Retrieve Frame Thumbnail": ("ct",),
    "Retrieve Instance": ("ct",),
    "Retrieve Series": ("ct",),
    "Retrieve Series Metadata": ("ct",),
    "Retrieve Frames": ("ct", "jpeg_ls", "rle", "film"),
    "Retrieve Bulkdata Value": ("ct", "pdf", "film"),
    "Retrieve Series Pixel Data": ("ct", "film"),
}

# Those of which the library has no object, and that are not made
NOT_THERE = re.compile("model/|text/xml|video/mpeg2|image/jpx")


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_told_of_a_resource_is_given_and_nothing_else(
    library: Library, dicomweb: DicomWeb, name: str
) -> None:
    """All of a kind that is told of one of them: those that are not told here are refused."""
    told = {transaction.name: transaction for transaction in dicomweb.transactions}
    every = {answer for row in SHOWN for answer in told[row].answers if not NOT_THERE.search(answer)}
    objects = [getattr(library, one) for one in SHOWN[name]]
    named = [one[0] if isinstance(one, list) else one for one in objects]
    given = set()
    for accept in every:
        for one in named:
            path = told[name].template.format(
                study=one.StudyInstanceUID,
                series=one.SeriesInstanceUID,
                instance=one.SOPInstanceUID,
                frames=1,
                path="7FE00010" if "PixelData" in one else "00420011",
            )
            status = library.http.get(path, headers={"Accept": accept}).status_code
            assert status in (200, 206, 404, 406)
            given |= {accept} if status < 400 else set()
    assert given == every.intersection(told[name].answers)
