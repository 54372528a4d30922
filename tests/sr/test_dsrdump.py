"""What DCMTK's dsrdump reads in a report is told by its resources, numbers once, or listed as unmapped."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sr.fhir_json import dumps
from sr.mapping import Mapped, map_report
from sr.observation import CONTENT_ITEM
from tests.sr.builders import IDENTITY
from tests.sr.fhir_rules import faults
from tests.sr.files import lean, reports_of_corpus, reports_of_pydicom, written
from tests.sr.oracles import Said, by_dsrdump, by_pydicom, stored
from tests.sr.test_validity import RECIPES as ALL_RECIPES

# An encapsulated document has no content tree.
RECIPES = {name: recipe for name, recipe in ALL_RECIPES.items() if name != "a document"}

pytestmark = pytest.mark.needs("dsrdump")

# Of its numbers that have several values dsrdump prints the first alone; pydicom is asked instead.
NOT_BY_DSRDUMP = {"RF-RDSR-Eurocolumbus.dcm"}

Resources = Sequence[dict[str, Any]]
# Sign, digits, exponent: 1.0E-5 is 0.000010, but not 0.00001. None where it is told why there is no number.
Digits = tuple[Any, ...] | None

_ACCUMULATED = {"113702", "113811", "113502"}
_CALIBRATION = "122505"
_SUMMARY = "73569-6"
_SELECTED = {"SCOORD", "IMAGE", "COMPOSITE", "WAVEFORM"}
_LIMITS = {"low": "385524004", "high": "371933006"}  # PS3.16 CID 223


@dataclass
class Told:
    """A number in the output, as its JSON is written."""

    codes: set[str]
    number: Digits
    units: set[str]


def _read(mapped: Mapped) -> Resources:
    """The resources as others get them, numbers as text."""
    return [json.loads(dumps(one), parse_float=str, parse_int=str) for one in mapped.resources]


def _numbers(resources: Resources) -> dict[str, list[Told]]:
    """All numbers of Observations and their components, by the positions of the Observations' items."""
    told: defaultdict[str, list[Told]] = defaultdict(list)
    for resource in resources:
        if resource["resourceType"] == "Observation":
            for element in (resource, *resource.get("component", [])):
                told[_position(resource)] += _number(element)
    return told


def _number(element: dict[str, Any]) -> Iterator[Told]:
    codes = {coding["code"] for coding in element["code"].get("coding", [])}
    if "valueQuantity" in element:
        yield _quantity(codes, element["valueQuantity"])
    elif "dataAbsentReason" in element:
        yield Told(codes, None, {""})
    for limits in element.get("referenceRange", []):
        for limit in _LIMITS.keys() & limits.keys():
            yield _quantity({_LIMITS[limit]}, limits[limit])


def _quantity(codes: set[str], quantity: dict[str, Any]) -> Told:
    units = {quantity.get("code", ""), quantity.get("unit", "")}
    return Told(codes, Decimal(quantity["value"]).as_tuple(), units)


def _position(observation: dict[str, Any]) -> str:
    (place,) = [one["value"] for one in observation["identifier"] if one.get("system") == CONTENT_ITEM]
    return str(place).partition("#")[2]


def _lost_numbers(items: Sequence[Said], resources: Resources, unmapped: set[str]) -> list[object]:
    """Numbers that are told nowhere, or twice, or that nobody else reads."""
    told, counts = _numbers(resources), _counts(resources)
    lost: list[object] = []
    for item in items:
        if item.kind == "NUM" and item.position not in unmapped:
            for value in item.values or ("",):
                if counts[value]:
                    counts[value] -= 1
                elif not _cross_off(told, item, value, resources):
                    lost.append(item)
    return lost + [one for found in told.values() for one in found if one.number is not None]


def _counts(resources: Resources) -> Counter[str]:
    """The numbers of an imaging manifest, which are of elements of its ImagingStudy."""
    bundles = [one for one in resources if one["resourceType"] == "Bundle"]
    entries = [entry["resource"] for bundle in bundles for entry in bundle["entry"]]
    studies = [one for one in entries if one["resourceType"] == "ImagingStudy"]
    return Counter(string for string in _strings(studies) if string.isdecimal())


def _cross_off(told: dict[str, list[Told]], item: Said, value: str, resources: Resources) -> bool:
    """Whether a number is told by the Observation of its item, or by one around it. It is so only once."""
    if value and not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", value.strip()):
        return _bare(value) in _words(resources)
    number = Decimal(value.strip()).as_tuple() if value else None
    position = item.position
    while position:
        for one in told.get(position, []):
            if one.number == number and item.concept in {"", *one.codes} and item.unit in {"", *one.units}:
                told[position].remove(one)
                return True
        position = position.rpartition(".")[0]
    return False


def _lost_words(items: Sequence[Said], resources: Resources, unmapped: set[str]) -> list[object]:
    """Codes and texts that are neither told nor listed."""
    strings = set(_strings(resources))
    words = _words(resources)
    times = " ".join(re.sub(r"[-:T]", "", string) for string in strings)
    return [
        item
        for item in items
        if item.kind not in {"NUM", *_SELECTED} and item.position not in unmapped
        for value in item.values
        if not _says(item.kind, value, strings, words, times)
    ]


def _lost_selections(items: Sequence[Said], resources: Resources, unmapped: set[str]) -> list[object]:
    """Images and regions that are not listed, and that no Observation around tells, and no manifest."""
    told = {_position(one): one for one in resources if one["resourceType"] == "Observation"}
    manifests = _words([one for one in resources if one["resourceType"] == "Bundle"])
    lost: list[object] = []
    for item in items:
        if item.kind in _SELECTED and item.position not in unmapped:
            around = [at for at in told if _is_in(item.position, at)]
            references = told[max(around, key=len)].get("derivedFrom", []) if around else []
            is_told = (
                item.values in _regions(references)
                if item.kind == "SCOORD"
                else item.values[0] in _words(references) or item.values[0] in manifests
            )
            lost += [] if is_told else [item]
    return lost


def _regions(references: Resources) -> list[tuple[str, ...]]:
    """The regions that references select: Graphic Type and numbers."""
    parts = (part for one in references for each in one.get("extension", []) for part in each["extension"])
    regions = (part["extension"] for part in parts if part["url"] == "imageRegion2D")
    return [
        (kind["valueCode"].upper(), *stored(one["valueDecimal"] for one in numbers))
        for kind, *numbers in regions
    ]


def _says(kind: str, value: str, strings: set[str], words: str, times: str) -> bool:
    match kind:
        case "CODE":
            return value in strings
        case "DATE" | "TIME" | "DATETIME":
            return re.split(r"[.+-]", value.strip())[0] in times
        case "PNAME":
            return all(_bare(part) in words for part in re.split(r"[\^=]", value))
    return _bare(value) in words


def _strings(element: Any) -> Iterator[str]:
    if isinstance(element, str):
        yield element
        return
    for below in element.values() if isinstance(element, dict) else element:
        yield from _strings(below)


def _words(resources: Resources) -> str:
    return _bare("\n".join(_strings(resources)))


def _bare(text: str) -> str:
    """A text without its white space, which is kept in different ways."""
    return re.sub(r"\s", "", text)


def _wrong_totals(items: Sequence[Said], resources: Resources) -> list[object]:
    """Containers of accumulated dose that hold other numbers than their summaries tell; other summaries."""
    told = _numbers(resources)
    summaries = {_position(one): one for one in resources if _SUMMARY in set(_strings(one.get("code", {})))}
    containers = [item for item in items if item.kind == "CONTAINER" and item.concept in _ACCUMULATED]
    wrong: list[object] = list(summaries.keys() ^ {item.position for item in containers})
    for container in containers:
        below = [item for item in items if _is_in(item.position, container.position)]
        meters = [item.position for item in below if item.concept == _CALIBRATION]
        held = Counter(
            (item.concept, Decimal(value).as_tuple())
            for item in below
            if item.kind == "NUM" and not any(_is_in(item.position, meter) for meter in meters)
            for value in item.values
        )
        summed = [one for at, found in told.items() if _is_in(at, container.position) for one in found]
        for (concept, number), times in held.items():
            wrong += [concept] * (
                times - sum(one.number == number and concept in one.codes for one in summed)
            )
        wrong += [container] * (sum(one.number is not None for one in summed) - held.total())
    return wrong


def _is_in(position: str, container: str) -> bool:
    return f"{position}.".startswith(f"{container}.")


def _faults(items: Sequence[Said], resources: Resources, unmapped: set[str]) -> list[object]:
    return [
        *_lost_numbers(items, resources, unmapped),
        *_lost_words(items, resources, unmapped),
        *_lost_selections(items, resources, unmapped),
        *_wrong_totals(items, resources),
    ]


def _mapped(path: Path, with_events: bool = False) -> tuple[list[Said], Resources, set[str]]:
    """What others read in a file, what we tell of it, and the positions of what we left out on purpose."""
    items = by_dsrdump(path)
    assert (items is None) == (path.name in NOT_BY_DSRDUMP)
    mapped = map_report(lean(path.read_bytes()), IDENTITY, with_events)
    assert mapped.resources
    assert faults(*mapped.resources) == []
    assert "no rule covers it" not in {one.reason for one in mapped.unmapped}
    return items or by_pydicom(path), _read(mapped), {one.position for one in mapped.unmapped}


def _recipe(name: str, folder: Path) -> Path:
    path = folder / "report.dcm"
    path.write_bytes(written(RECIPES[name]()))
    return path


@pytest.mark.parametrize("with_events", [False, True])
@pytest.mark.parametrize("name", RECIPES)
def test_our_reports(name: str, with_events: bool, tmp_path: Path) -> None:
    assert _faults(*_mapped(_recipe(name, tmp_path), with_events)) == []


@pytest.mark.parametrize("with_events", [False, True])
@pytest.mark.parametrize("path", [*reports_of_pydicom(), *reports_of_corpus()], ids=lambda path: path.stem)
def test_reports_of_others(path: Path, with_events: bool) -> None:
    assert _faults(*_mapped(path, with_events)) == []


def test_pydicom_reads_the_same_as_dsrdump(tmp_path: Path) -> None:
    for name in RECIPES:
        path = _recipe(name, tmp_path)
        assert by_pydicom(path) == by_dsrdump(path)


def _no_observation(resources: Resources) -> None:
    measured = next(one for one in resources if "valueQuantity" in one)
    resources.remove(measured)  # type: ignore[attr-defined]


def _a_number_twice(resources: Resources) -> None:
    measured = next(one for one in resources if "valueQuantity" in one)
    part = {"code": measured["code"], "valueQuantity": measured["valueQuantity"]}
    measured["component"] = [*measured.get("component", []), part]


def _one_digit_less(resources: Resources) -> None:
    quantity = next(one["valueQuantity"] for one in resources if "valueQuantity" in one)
    quantity["value"] = quantity["value"][:-1]


def _another_unit(resources: Resources) -> None:
    quantity = next(one["valueQuantity"] for one in resources if "valueQuantity" in one)
    quantity |= {"unit": "mm", "code": "mm"}


def _numbers_of_each_other(resources: Resources) -> None:
    one, other = [one for one in resources if "valueQuantity" in one][:2]
    one["valueQuantity"], other["valueQuantity"] = other["valueQuantity"], one["valueQuantity"]


def _a_side_less(resources: Resources) -> None:
    for resource in resources:
        for name in [name for name in resource if "24028007" in set(_strings({"": resource[name]}))]:
            del resource[name]


@pytest.mark.parametrize(
    "spoil",
    [
        _no_observation,
        _a_number_twice,
        _one_digit_less,
        _another_unit,
        _numbers_of_each_other,
        _a_side_less,
    ],
)
def test_it_sees_what_is_wrong(spoil: Callable[[Resources], None], tmp_path: Path) -> None:
    items, resources, unmapped = _mapped(_recipe("vessels", tmp_path))
    assert _faults(items, resources, unmapped) == []
    spoil(resources)
    assert _faults(items, resources, unmapped) != []


def test_it_sees_a_total_that_is_wrong(tmp_path: Path) -> None:
    items, resources, _ = _mapped(_recipe("dose", tmp_path))
    assert _wrong_totals(items, resources) == []
    summary = next(one for one in resources if _SUMMARY in set(_strings(one.get("code", {}))))
    total = next(part["valueQuantity"] for part in summary["component"] if "valueQuantity" in part)
    total["value"] = f"{total['value']}0"
    assert _wrong_totals(items, resources) != []


def test_it_sees_a_region_that_is_wrong(tmp_path: Path) -> None:
    items, resources, unmapped = _mapped(_recipe("measurements", tmp_path))
    assert _faults(items, resources, unmapped) == []
    for group in [one for one in resources if _regions(one.get("derivedFrom", []))]:
        for reference in group["derivedFrom"]:
            for part in [part for one in reference.get("extension", []) for part in one["extension"]]:
                if part["url"] == "imageRegion2D":
                    part["extension"][-1]["valueDecimal"] += "1"
    assert _lost_selections(items, resources, unmapped) != []
