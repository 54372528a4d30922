from typing import Any

from pydicom.dataset import Dataset

from sr.coding_schemes import CodingSchemes
from sr.content_tree import Item
from sr.device import algorithm, device, is_same_device
from sr.read_content import read_content
from tests.sr.builders import code, num, report, reread, text
from tests.sr.fhir_rules import faults

NAME = ("111001", "DCM", "Algorithm Name")
VERSION = ("111003", "DCM", "Algorithm Version")
FAMILY = ("111000", "DCM", "Algorithm Family")
PARAMETERS = ("111002", "DCM", "Algorithm Parameters")


def _items(*content: Dataset) -> tuple[Item, ...]:
    return read_content(report(*content)).root.children


def _algorithm(*content: Dataset, parent: str = "") -> dict[str, Any] | None:
    return algorithm(_items(*content), CodingSchemes("Acme", {}), parent)[0]


def test_equipment() -> None:
    udi = Dataset()
    udi.UniqueDeviceIdentifier = "(01)00012345678905"
    made = device(
        reread(
            report(
                DeviceSerialNumber="77",
                StationName="CT1",
                SoftwareVersions=["1.0", "2.0"],
                DeviceUID="1.2.3",
                UDISequence=[udi],
            )
        )
    )
    assert made is not None
    assert faults(made) == []
    made.pop("id")
    assert made == {
        "resourceType": "Device",
        "identifier": [{"system": "urn:dicom:uid", "value": "urn:oid:1.2.3"}],
        "udiCarrier": [{"carrierHRF": "(01)00012345678905"}],
        "manufacturer": "Acme",
        "serialNumber": "77",
        "deviceName": [
            {"name": "CT1", "type": "user-friendly-name"},
            {"name": "Reader", "type": "model-name"},
        ],
        "version": [{"value": "1.0"}, {"value": "2.0"}],
    }


def test_the_same_equipment_is_the_same_device() -> None:
    one, other = device(report()), device(report(SOPInstanceUID="1.9"))
    assert one is not None
    assert one == other
    assert one != device(report(DeviceSerialNumber="78"))


def test_equipment_that_nothing_identifies_is_none() -> None:
    assert device(report(Manufacturer=None, ManufacturerModelName=None)) is None


def test_an_algorithm() -> None:
    made = _algorithm(
        text(NAME, "Segmenter"),
        text(VERSION, "3.1"),
        text(PARAMETERS, "--fast"),
        code(FAMILY, ("123109", "DCM", "Artificial Intelligence")),
        parent="Device/1",
    )
    assert made is not None
    assert made["deviceName"] == [{"name": "Segmenter", "type": "user-friendly-name"}]
    assert made["version"] == [{"value": "3.1"}]
    assert made["type"]["text"] == "Artificial Intelligence"
    assert made["property"][0]["valueCode"] == [{"text": "--fast"}]
    assert made["parent"] == {"reference": "Device/1"}


def test_what_does_not_name_an_algorithm_is_none() -> None:
    assert _algorithm() is None
    assert _algorithm(text(VERSION, "3.1")) is None


def test_what_an_algorithm_does_not_tell_is_left_to_others() -> None:
    items = _items(text(NAME, "A"), text(NAME, "B"), text(FAMILY, "deep"), num(VERSION, "3"))
    made, told = algorithm(items, CodingSchemes("Acme", {}), "")
    assert made is not None
    assert [name["name"] for name in made["deviceName"]] == ["A", "B"]
    assert [item.position for item in told] == ["1.1", "1.2"]


def test_a_device_is_the_same_when_all_that_is_said_agrees_and_some_of_it_is_its_own() -> None:
    known = report(StationName="A", DeviceUID="1.2.3")
    assert is_same_device(known, report(StationName="A"))
    assert is_same_device(report(Manufacturer=None, DeviceUID="1.2.3"), known)
    assert not is_same_device(known, report(StationName="A", DeviceUID="1.2.4"))
    assert not is_same_device(known, report(StationName="A", ManufacturerModelName="Other"))
    assert not is_same_device(known, report())
