"""The device that made a report, and the algorithm that measured, as FHIR R4 Devices."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sr import lenient
from sr.codes import Code, Key
from sr.coding_schemes import CodingSchemes
from sr.content_tree import Item
from sr.identifiers import uid_identifier
from sr.primitives import compact, is_uid, stable_id, string
from sr.roles import ALGORITHM_FAMILY, ALGORITHM_NAME, ALGORITHM_PARAMETERS, ALGORITHM_VERSION

# PS3.3 Table C.7-8
_ITS_OWN = frozenset({"DeviceUID", "DeviceSerialNumber", "StationName"})
_DESCRIBING = ("Manufacturer", "ManufacturerModelName", *sorted(_ITS_OWN))

_ALGORITHM_TEXTS: tuple[Key, ...] = (ALGORITHM_NAME, ALGORITHM_VERSION, ALGORITHM_PARAMETERS)


def device(dataset: lenient.Source) -> dict[str, Any] | None:
    """The equipment of a data set (PS3.3 C.7.5.1); None when nothing identifies it."""
    keywords = ("Manufacturer", "ManufacturerModelName", "DeviceSerialNumber", "StationName")
    manufacturer, model, serial, station = (string(lenient.text(dataset, keyword)) for keyword in keywords)
    uids = [uid for uid in lenient.texts(dataset, "DeviceUID") if is_uid(uid)]
    if not any((manufacturer, model, serial, uids)):
        return None
    return compact(
        {
            "resourceType": "Device",
            "id": stable_id("device", manufacturer, model, serial, station, *uids),
            "identifier": [uid_identifier(uid) for uid in uids],
            "udiCarrier": [
                {"carrierHRF": string(udi)}
                for item in lenient.items(dataset, "UDISequence")
                if (udi := lenient.text(item, "UniqueDeviceIdentifier"))
            ],
            "manufacturer": manufacturer,
            "serialNumber": serial,
            "deviceName": _names((station, "user-friendly-name"), (model, "model-name")),
            "version": [{"value": string(version)} for version in lenient.texts(dataset, "SoftwareVersions")],
        }
    )


def is_same_device(one: lenient.Source, other: lenient.Source) -> bool:
    """Whether two descriptions are of one device.

    What both say is the same, and something of that is of one device alone.
    """
    said = ((keyword, *(string(lenient.text(of, keyword)) for of in (one, other))) for keyword in _DESCRIBING)
    both = {keyword: mine == its for keyword, mine, its in said if mine and its}
    return all(both.values()) and not _ITS_OWN.isdisjoint(both)


def algorithm(
    items: Iterable[Item], schemes: CodingSchemes, parent: str
) -> tuple[dict[str, Any] | None, list[Item]]:
    """The algorithm that items of PS3.16 TID 4019 identify, and those of them that it tells.

    None and no items when they do not name one.  parent: reference of the equipment it runs on, or "".
    """
    texts: defaultdict[Key, list[str]] = defaultdict(list)
    family: dict[str, Any] = {}
    told = []
    for item in items:
        if item.key == ALGORITHM_FAMILY and isinstance(item.value, Code) and not family:
            family = schemes.concept(item.value)
        elif item.key in _ALGORITHM_TEXTS and isinstance(item.value, str) and string(item.value):
            texts[item.key].append(string(item.value))
        else:
            continue
        told.append(item)
    if not texts[ALGORITHM_NAME]:
        return None, []
    identity = (text for key in _ALGORITHM_TEXTS for text in (*texts[key], ""))
    device = compact(
        {
            "resourceType": "Device",
            "id": stable_id("algorithm", parent, family.get("text", ""), *identity),
            "deviceName": _names(*((name, "user-friendly-name") for name in texts[ALGORITHM_NAME])),
            "version": [{"value": version} for version in texts[ALGORITHM_VERSION]],
            "type": family,
            "property": [
                {"type": {"text": "Algorithm Parameters"}, "valueCode": [{"text": parameter}]}
                for parameter in texts[ALGORITHM_PARAMETERS]
            ],
            "parent": {"reference": parent} if parent else {},
        }
    )
    return device, told


def _names(*names: tuple[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in names if name]
