"""Whatever search the CapabilityStatement declares finds what HL7's own definition of it says is there.

The definitions, and the engine of FHIRPath that evaluates them on stored resources, are those of npm's
@medplum packages; nothing of what is expected is computed by the code under test.
"""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import httpx
import pytest

from fhir_api.capability import capability_statement
from testdata.ct import ct_series
from testdata.dx import chest_xray
from testdata.visit import let_be_performed, let_be_visited
from tests.interop.test_web import eventually
from tests.pacs.dimse.peer import store
from tests.service import Service
from tests.sr.test_validity import RECIPES
from tests.validators import FOLDER, are_missing

pytestmark = [
    pytest.mark.skipif(are_missing(), reason="the definitions are not there: `npm ci` in tests/validators"),
    pytest.mark.xdist_group("service"),
]

STATEMENT = capability_statement("http://archive.example/fhir", may_export=True)["rest"][0]["resource"]
DECLARED = [one for one in STATEMENT if "searchParam" in one]
PARAMETERS = [(one["type"], p["name"], p["definition"]) for one in DECLARED for p in one["searchParam"]]
REPORTED = ("Observation", "DiagnosticReport", "DocumentReference")
INCLUDES = [(one["type"], *link.split(":")) for one in DECLARED for link in one.get("searchInclude", ())]
REVERSE = [(one["type"], *link.split(":")) for one in DECLARED for link in one.get("searchRevInclude", ())]

# What none of the stored resources says, so that nothing can be found by it.
NEVER_SAID = {
    ("Device", "type"),
    ("Endpoint", "identifier"),
    # In R4 the expressions of its parts stand in each other's place, which R5 put right
    ("DocumentReference", "relationship"),
    *((one["type"], "_profile") for one in DECLARED),
    *((one["type"], "_tag") for one in DECLARED if one["type"] not in REPORTED),
}
# Of these a search also finds what HL7's expression does not name; see their documentation.
FINDS_MORE = {("Observation", "identifier"), ("ImagingStudy", "identifier")}
# The index finds by days, as the documentation of these says.
TO_THE_DAY = {("ImagingStudy", "started"), ("Patient", "birthdate")}
# Persons whom studies tell by name alone: test_studies_by_context
TOLD_BY_NAME = {("ImagingStudy", name) for name in ("referrer", "interpreter", "performer")}
ASKED = 4  # questions from the beginning, and as many from the end, for each parameter or link


@dataclass(frozen=True)
class Stored:
    """The service, all that it serves, and what that says under HL7's search parameters.

    said: by resource type and parameter its kind, and values by the ids of resources.
    """

    client: httpx.Client
    resources: Mapping[str, list[dict[str, Any]]]
    said: Mapping[tuple[str, str], tuple[str, Mapping[str, list[Any]]] | None]

    def search(self, resource_type: str, *parameters: tuple[str, str]) -> list[tuple[str, str]]:
        """Search mode and reference of each entry that a search gives, in strict handling."""
        pairs = httpx.QueryParams((*parameters, ("_count", "1000")))
        answer = self.client.get(f"/{resource_type}", params=pairs, headers={"Prefer": "handling=strict"})
        assert answer.status_code == 200, answer.text
        entries = answer.json().get("entry", [])
        return [(one["search"]["mode"], _name(one["resource"])) for one in entries]


def _name(resource: dict[str, Any]) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _all(client: httpx.Client, resource_type: str) -> list[dict[str, Any]]:
    bundle = client.get(f"/{resource_type}", params={"_count": "1000"}).json()
    found = [entry["resource"] for entry in bundle.get("entry", [])]
    assert bundle["total"] == len(found)
    return found


def _evaluate(
    resources: list[dict[str, Any]], asked: list[tuple[str, str]]
) -> dict[tuple[str, str], tuple[str, Mapping[str, list[Any]]] | None]:
    question = json.dumps({"resources": resources, "parameters": asked})
    command = ["node", str(FOLDER / "values.cjs")]
    done = subprocess.run(command, input=question, capture_output=True, text=True, timeout=300, check=True)
    told = [one and (one["type"], one["values"]) for one in json.loads(done.stdout)]
    return dict(zip(asked, told, strict=True))


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    reports = [recipe() for recipe in RECIPES.values()]
    with Service(tmp_path_factory.mktemp("declared") / "data") as service:
        radiograph = chest_xray(rows=64, columns=64)
        let_be_performed(radiograph)
        for number, report in enumerate(reports):
            let_be_visited(report, f"V{number}")
        for dataset in (*ct_series(slices=3, rows=32, columns=32), radiograph, *reports):
            assert store(service.dimse_port, dataset).Status == 0
        uids = {dataset.SOPInstanceUID for dataset in reports}
        asked = [(kind, definition) for kind, _, definition in PARAMETERS]
        asked += [(source, name) for _, source, name in (*INCLUDES, *REVERSE)]
        with httpx.Client(base_url=f"{service.url}/fhir", timeout=60) as client:
            eventually(lambda: {one["id"] for one in _all(client, "DocumentReference")} >= uids)
            resources = {one["type"]: _all(client, one["type"]) for one in DECLARED}
            flat = [resource for of_type in resources.values() for resource in of_type]
            yield Stored(client, resources, _evaluate(flat, asked))


def test_the_service_declares_what_is_tested(stored: Stored) -> None:
    assert stored.client.get("/metadata").json()["rest"][0]["resource"] == STATEMENT


@pytest.mark.parametrize(("resource_type", "name", "definition"), PARAMETERS)
def test_a_declared_parameter_finds_what_says_it(
    stored: Stored, resource_type: str, name: str, definition: str
) -> None:
    told = stored.said[resource_type, definition]
    if told is None:
        assert not definition.startswith("http://hl7.org/fhir/SearchParameter/")
        pytest.skip("it is defined by a guide, which is not at hand")
    kind, values = told
    declared = next(one for one in DECLARED if one["type"] == resource_type)["searchParam"]
    assert next(one["type"] for one in declared if one["name"] == name) == kind
    questions = {one: [q for value in said for q in asked_for(kind, value)] for one, said in values.items()}
    # What it says first and last, so that of an expression with several parts more than one is asked for.
    ends = {one: dict.fromkeys((of_one[0], of_one[-1])) for one, of_one in questions.items() if of_one}
    asking = [(one, question) for one, of_one in ends.items() for question in of_one]
    asking = [*asking[:ASKED], *asking[-ASKED:]]
    assert bool(asking) == ((resource_type, name) not in NEVER_SAID | TOLD_BY_NAME)
    for resource_id, (modifier, said) in asking:
        value = said[:10] if (resource_type, name) in TO_THE_DAY else said
        matches = stored.search(resource_type, (f"{name}{modifier}", value))
        found = {match for _, match in matches}
        expected = {
            f"{resource_type}/{one}" for one, of_one in questions.items() if (modifier, said) in of_one
        }
        assert f"{resource_type}/{resource_id}" in found
        assert expected <= found
        if kind in ("token", "reference", "composite") and (resource_type, name) not in FINDS_MORE:
            assert found == expected


@pytest.mark.parametrize(("resource_type", "source", "name"), INCLUDES)
def test_a_declared_include_brings_what_is_referred_to(
    stored: Stored, resource_type: str, source: str, name: str
) -> None:
    links = _links(stored, source, name)
    assert links
    for one, targets in list(links.items())[:ASKED]:
        entries = stored.search(
            resource_type, ("_id", one.partition("/")[2]), ("_include", f"{source}:{name}")
        )
        assert [entry for entry in entries if entry[0] == "match"] == [("match", one)]
        assert {entry for mode, entry in entries if mode == "include"} == targets - {one}


@pytest.mark.parametrize(("resource_type", "source", "name"), REVERSE)
def test_a_declared_reverse_include_brings_what_refers(
    stored: Stored, resource_type: str, source: str, name: str
) -> None:
    links = _links(stored, source, name)
    targets = {one for to in links.values() for one in to if one.startswith(f"{resource_type}/")}
    assert targets
    for one in sorted(targets)[:ASKED]:
        query = ("_id", one.partition("/")[2]), ("_revinclude", f"{source}:{name}")
        entries = stored.search(resource_type, *query)
        assert [entry for entry in entries if entry[0] == "match"] == [("match", one)]
        expected = {referrer for referrer, to in links.items() if one in to}
        assert {entry for mode, entry in entries if mode == "include"} == expected - {one}


def _links(stored: Stored, source: str, name: str) -> dict[str, set[str]]:
    """What is served and referred to, by the references of who refers, under a search parameter."""
    served = {_name(one) for of_type in stored.resources.values() for one in of_type}
    told = stored.said[source, name]
    assert told is not None
    links = {
        f"{source}/{one}": {value["reference"] for value in values if "reference" in value} & served
        for one, values in told[1].items()
    }
    return {one: targets for one, targets in links.items() if targets}


def asked_for(kind: str, value: Any) -> list[tuple[str, str]]:
    """Modifiers and texts by which to search for what a resource says (FHIR R4 3.1.1.4.8 to 3.1.1.4.13)."""
    match kind, value:
        case "reference", {"reference": str(target)}:
            return [("", target)]
        case "reference", {"identifier": identifier}:
            return [(":identifier", text) for text in _tokens(identifier)]
        case "token", dict():
            return [("", text) for text in _tokens(value)]
        case "string", {"family": str(name)}:
            return [("", _escaped(name))]
        case "quantity", {"value": number, "code": str(code), "system": str(system)}:
            return [("", f"{number}|{system}|{_escaped(code)}")]
        case "composite", [first, second]:
            pairs = product(*(_parts(part) for part in (first, second)))
            return [("", f"{one}${other}") for one, other in pairs]
        case _, str(text):
            return [("", _escaped(text))]
    return []


def _parts(part: dict[str, Any]) -> list[str]:
    """Texts by which to search for what an element says under one part of a composite."""
    return [
        text for value in part["values"] for modifier, text in asked_for(part["type"], value) if not modifier
    ]


def _tokens(value: dict[str, Any]) -> list[str]:
    """Of a CodeableConcept, a Coding or an Identifier."""
    if "coding" in value:
        return [text for coding in value["coding"] for text in _tokens(coding)]
    code = value.get("code", value.get("value"))
    return [f"{_escaped(value.get('system', ''))}|{_escaped(code)}"] if code else []


def _escaped(text: str) -> str:
    return re.sub(r"([\\,|$])", r"\\\1", text)
