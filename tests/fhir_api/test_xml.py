"""Every answer as XML for who takes it (FHIR R4 2.6.1), read back by a reader of others and by ours."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from pydicom import Dataset

from fhir_api.r4.definitions import codes, is_resource
from fhir_api.r4.validation import issues
from fhir_api.r4.xml_reader import from_xml
from fhir_api.r4.xml_writer import to_xml
from fhir_api.search_table import PARAMETERS
from sr.fhir_json import dumps, loads
from sr.mapping import map_report
from testdata.cad_report import cad_report
from testdata.dose_report import dose_report
from testdata.key_objects import key_objects
from testdata.measurement_report import measurement_report
from testdata.vascular_report import vascular_report
from testdata.written_report import heart_report, text_report
from tests.fhir_api.client import link
from tests.fhir_api.conftest import World
from tests.fhir_api.generated import resource
from tests.sr.builders import IDENTITY
from tests.sr.files import lean, written
from tests.validators import Converter

RECIPES: dict[str, Callable[[World], Dataset]] = {
    "measurements": lambda world: measurement_report(world.ct),
    "dose": lambda _: dose_report(),
    "key objects": lambda world: key_objects(world.ct),
    "marks of a program": lambda _: cad_report(),
    "vessels": lambda _: vascular_report(),
    "prose": lambda _: text_report(),
    "headings of its own": lambda _: heart_report(),
}
XML_FORMS = [
    ("?_format=xml", "application/fhir+json"),
    ("?_format=application/fhir%2Bxml", ""),
    ("?_format=application/fhir+xml", "*/*"),
    ("?_format=text/xml", ""),
    ("", "application/fhir+xml"),
    ("", "application/xml"),
    ("", "text/xml"),
    ("", "application/fhir+json;q=0.5, application/fhir+xml;q=0.9"),
    ("", "application/fhir+json;q=0, */*;q=0.1"),
    ("", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("", "application/fhir+xml; fhirVersion=4.0"),
]


@pytest.fixture(scope="module")
def converter(validators: object) -> Iterator[Converter]:
    assert validators
    with Converter() as converter:
        yield converter


@pytest.mark.parametrize(("query", "accept"), XML_FORMS)
def test_xml_is_given_to_who_takes_it(world: World, query: str, accept: str) -> None:
    answer = world.client.get(f"/fhir/Patient{query}", Accept=accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/fhir+xml"
    assert answer.headers["vary"] == "Accept"
    assert ElementTree.fromstring(answer.content).tag == "{http://hl7.org/fhir}Bundle"


@pytest.mark.xdist_group("validators")
@pytest.mark.parametrize("name", RECIPES)
def test_what_reports_become_reads_back_the_same(world: World, converter: Converter, name: str) -> None:
    resources = map_report(lean(written(RECIPES[name](world))), IDENTITY, with_events=True).resources
    assert resources
    for one in resources:
        assert_same_for_others(converter, dumps(one))


@pytest.mark.xdist_group("validators")
@pytest.mark.parametrize("path", [*PARAMETERS, "metadata", "Nothing", "Patient/none", "Observation?code=!"])
def test_every_answer_reads_back_the_same(world: World, converter: Converter, path: str) -> None:
    as_json = world.client.get(f"/fhir/{path}")
    as_xml = world.client.get(f"/fhir/{path}", Accept="application/fhir+xml")
    assert as_xml.headers["content-type"] == "application/fhir+xml"
    assert as_xml.status_code == as_json.status_code
    assert to_xml(loads(as_json.content)) == as_xml.content
    assert_same_for_others(converter, as_json.content)


def assert_same_for_others(converter: Converter, content: bytes) -> None:
    """Our XML is what others read as this JSON, and what they write of it; our own reader loses no digit."""
    xml = to_xml(loads(content))
    assert plain(from_xml(xml)) == plain(loads(content))
    assert ElementTree.canonicalize(to_xml(from_xml(xml))) == ElementTree.canonicalize(xml)
    theirs, their_xml = converter.convert([xml.decode(), content.decode()])
    assert plain(json.loads(theirs)) == plain(json.loads(content))
    assert tree(ElementTree.fromstring(xml)) == tree(ElementTree.fromstring(their_xml))


def plain(value: Any) -> Any:
    """The value with its narratives as trees, for a program writes <br/> as <br />."""
    if isinstance(value, dict):
        return {name: narrative(one) if name == "div" else plain(one) for name, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


def narrative(div: str) -> str:
    return ElementTree.canonicalize(div)


def tree(node: ElementTree.Element) -> Any:
    """The elements in their order, with their attributes; numbers as numbers, for theirs lose zeros."""
    return node.tag, {name: number(text) for name, text in node.attrib.items()}, [tree(one) for one in node]


def number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


RARE = {
    "resourceType": "Observation",
    "id": "rare",
    "extension": [{"id": "e1", "url": "http://example.org/a", "valueString": 'Tom & "Jerry" <b>\n'}],
    "contained": [
        {"resourceType": "Patient", "id": "p", "name": [{"given": ["A", "B"]}]},
        {"resourceType": "Device", "id": "d", "_status": {"extension": [{"url": "u:x", "valueCode": "y"}]}},
    ],
    "text": {
        "status": "generated",
        "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p class="x">1 &lt; 2 è</p></div>',
    },
    "code": {"text": "what", "_text": {"id": "t", "extension": [{"url": "u:lang", "valueCode": "en"}]}},
    "status": "final",
    "subject": {"reference": "#p"},
    "valueBoolean": False,
    "_effectiveDateTime": {"extension": [{"url": "u:written", "valueString": "then"}]},
    "effectiveDateTime": "2026-03-01",
}


@pytest.mark.xdist_group("validators")
def test_what_is_rare_reads_back_the_same(converter: Converter) -> None:
    assert_same_for_others(converter, dumps(RARE))
    assert plain(from_xml(to_xml(RARE, is_pretty=True))) == plain(RARE)


def test_extensions_of_some_of_several_values_keep_their_places() -> None:
    names = {"given": ["A", None, "C"], "_given": [None, {"extension": [{"url": "u:a"}]}, {"id": "g"}]}
    patient = {"resourceType": "Patient", "name": [names, {"_given": [{"id": "h"}]}]}
    xml = to_xml(patient)
    assert [(one.get("value"), one.get("id"), len(one)) for one in ElementTree.fromstring(xml)[0]] == [
        ("A", None, 0),
        (None, None, 1),
        ("C", "g", 0),
    ]
    assert from_xml(xml) == patient


@pytest.mark.xdist_group("validators")
def test_every_type_of_r4_is_written_and_read_as_others_do(converter: Converter) -> None:
    types = [
        name for name in codes("resource-types")["http://hl7.org/fhir/resource-types"] if is_resource(name)
    ]
    made = {name: loads(dumps(resource(name, seed=0))) for name in types}
    ours = {name: to_xml(one) for name, one in made.items()}
    assert [name for name, one in made.items() if issues(one, name)] == []
    assert {name: plain(from_xml(xml)) for name, xml in ours.items()} == {
        n: plain(r) for n, r in made.items()
    }
    read = converter.convert(xml.decode() for xml in ours.values())
    written_by_others = converter.convert(dumps(one).decode() for one in made.values())
    unlike = set()
    for name, as_json, as_xml in zip(types, read, written_by_others, strict=True):
        is_same = tree(ElementTree.fromstring(ours[name])) == tree(ElementTree.fromstring(as_xml))
        if not is_same or plain(json.loads(as_json)) != plain(json.loads(dumps(made[name]))):
            unlike.add(name)
    # Of these, theirs do not know the elements that are defined by reference to deeper ones.
    assert unlike == {"Invoice", "SubstanceSpecification"}
    assert len(types) == 146


def test_elements_stand_in_the_order_of_their_definition() -> None:
    root = ElementTree.fromstring(to_xml(RARE))
    assert [child.tag.partition("}")[2] for child in root] == [
        *("id", "text", "contained", "contained", "extension", "status", "code", "subject"),
        *("effectiveDateTime", "valueBoolean"),
    ]


@pytest.mark.parametrize("digits", ["1.50", "0.0", "-12", "1E+5", "12345678901234567890.10"])
def test_decimals_keep_their_digits(digits: str) -> None:
    content = f'{{"resourceType":"Observation","valueQuantity":{{"value":{digits}}}}}'.encode()
    xml = to_xml(loads(content))
    assert f'<value value="{digits}"/>'.encode() in xml
    assert dumps(from_xml(xml)) == content


def test_other_prefixes_and_hints_of_schemas_are_no_matter() -> None:
    text = b"""<?xml version="1.0"?><f:Patient xmlns:f="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml"
        xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://hl7.org/fhir a.xsd">
        <!-- who --> <f:text><f:status value="generated"/><h:div>a<h:b>c</h:b></h:div></f:text>
        <f:active value="true"/></f:Patient>"""
    div = '<div xmlns="http://www.w3.org/1999/xhtml">a<b>c</b></div>'
    told = {"resourceType": "Patient", "text": {"status": "generated", "div": div}, "active": True}
    assert from_xml(text) == told


def test_white_space_stays_as_it_is() -> None:
    patient = {"resourceType": "Patient", "name": [{"text": " a\tb\r\nc  d "}]}
    assert from_xml(to_xml(patient)) == patient


def test_what_xml_cannot_carry_is_replaced() -> None:
    xml = to_xml({"resourceType": "Patient", "id": "a\x00b\x1f\ufffe\ud800c"})
    assert ElementTree.fromstring(xml)[0].get("value") == "a\ufffdb\ufffd\ufffd\ufffdc"


@pytest.mark.parametrize("div", ["<div>no namespace</div>", "a &nbsp; b", "<div", "", "<!DOCTYPE x><div/>"])
def test_a_narrative_that_is_no_xhtml_is_told_as_text(div: str) -> None:
    xml = to_xml({"resourceType": "Patient", "text": {"status": "generated", "div": div}})
    told = ElementTree.fromstring(xml)[0][1]
    assert told.tag == "{http://www.w3.org/1999/xhtml}div"
    assert (told.text or "") == div


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<Patient/>",
        b'<Nothing xmlns="http://hl7.org/fhir"/>',
        b'<!DOCTYPE x [<!ENTITY e "e">]><Patient xmlns="http://hl7.org/fhir"/>',
        b'<Patient xmlns="http://hl7.org/fhir">',
        b'<Bundle xmlns="http://hl7.org/fhir"><entry><resource/></entry></Bundle>',
        b'<Patient xmlns="http://hl7.org/fhir" resourceType="Device"/>',
        b'<Patient xmlns="http://hl7.org/fhir"><resourceType value="Device"/></Patient>',
        b'<?xml version="1.0" encoding="no-such"?><Patient xmlns="http://hl7.org/fhir"/>',
        b'<Patient xmlns="http://hl7.org/fhir">'
        + b"<extension>" * 9999
        + b"</extension>" * 9999
        + b"</Patient>",
    ],
)
def test_what_is_no_resource_is_not_read(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"XML|resource|nested"):
        from_xml(text)


def test_pretty_answers_say_the_same(world: World) -> None:
    url = f"/fhir/Observation/{world.resources('Observation')[0]['id']}"
    plain = world.client.get(url)
    pretty = world.client.get(f"{url}?_pretty=true")
    assert pretty.json() == plain.json()
    assert pretty.text.count("\n") > plain.text.count("\n") == 0
    pretty_xml = world.client.get(f"{url}?_pretty=true&_format=xml")
    assert pretty_xml.content.count(b"\n") > 10
    assert from_xml(pretty_xml.content) == loads(plain.content)


def test_the_form_may_stand_in_a_posted_search(world: World) -> None:
    answer = world.client.request("POST", "/fhir/Patient/_search", data={"_format": "xml", "name": "cosme"})
    assert answer.headers["content-type"] == "application/fhir+xml"
    assert from_xml(answer.content)["total"] == 1
    fault = world.client.request("POST", "/fhir/Patient/_search", data={"_format": "html"})
    assert fault.status_code == 406


def test_the_next_page_comes_in_the_same_form(world: World) -> None:
    url = "/fhir/Observation?_count=1&_format=application/fhir%2Bxml&_pretty=true"
    for _ in range(3):
        page = world.client.get(url)
        assert page.headers["content-type"] == "application/fhir+xml"
        assert b"\n  <type" in page.content
        url = link(from_xml(page.content), "next") or ""


def test_a_version_that_is_known_is_not_sent_again_in_xml(world: World) -> None:
    url = f"/fhir/Patient/{world.patient(world.report)['id']}?_format=xml"
    answer = world.client.get(url)
    again = world.client.get(url, If_None_Match=answer.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")


def test_head_tells_the_length_of_the_xml(world: World) -> None:
    url = "/fhir/metadata?_format=xml"
    length = world.client.get(url).headers["content-length"]
    assert world.client.request("HEAD", url).headers["content-length"] == length
