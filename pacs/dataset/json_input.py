"""A data set that comes in as DICOM JSON (PS3.18 F.2), checked before anything else reads it."""

import re
from collections.abc import Callable
from typing import Any

import orjson

from pacs.dataset.vr import BINARY_WIDTH, CHARSET_VRS, LONG_VRS, NUMBER_CODES, SHORT_VRS, implicit_vr
from pacs.errors import MalformedObject
from pacs.model import DicomJson

MAX_DEPTH = 16  # sequences inside each other

_KEY = re.compile(r"[0-9A-Fa-f]{8}")
_VRS = LONG_VRS | SHORT_VRS
_NAME_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")


def read_dicom_json(content: bytes) -> DicomJson:
    """The one data set that this is, alone or in an array.

    Keys become upper case, VRs those of the data dictionary, and elements without a value have none.
    Raises MalformedObject, which names the element, never its value.
    """
    try:
        loaded = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise MalformedObject(f"the body is no JSON: {error.msg}") from error
    if isinstance(loaded, list) and len(loaded) == 1:
        (loaded,) = loaded
    if not isinstance(loaded, dict):
        raise MalformedObject("the body: expected one data set in DICOM JSON")
    return _data_set(loaded, "", MAX_DEPTH)


def _data_set(loaded: Any, path: str, depth: int) -> DicomJson:
    if not isinstance(loaded, dict):
        raise MalformedObject(f"{path}: expected an item, which is an object")
    if not depth:
        raise MalformedObject(f"{path}: more than {MAX_DEPTH} sequences inside each other")
    checked: DicomJson = {}
    for key, element in loaded.items():
        if not _KEY.fullmatch(key):
            raise MalformedObject(
                f"{path or 'the data set'}: every name is a tag, of eight hexadecimal digits"
            )
        tag = key.upper()
        checked[tag] = _element(int(tag, 16), element, f"{path}.{tag}" if path else tag, depth)
    return dict(sorted(checked.items()))


def _element(tag: int, element: Any, path: str, depth: int) -> DicomJson:
    if not isinstance(element, dict) or str(element.get("vr")) not in _VRS:
        raise MalformedObject(f"{path}: expected an object with a vr", tag)
    if len(element) > 2 or element.keys() - {"vr", "Value", "InlineBinary"}:
        raise MalformedObject(
            f"{path}: it has vr, and one of Value and InlineBinary; bulk data are not taken", tag
        )
    vr = _vr(tag, element["vr"], path)
    if "InlineBinary" in element:
        if vr not in BINARY_WIDTH or not isinstance(element["InlineBinary"], str):
            raise MalformedObject(f"{path}: InlineBinary is a string, of a binary VR", tag)
        return {"vr": vr, "InlineBinary": element["InlineBinary"]}
    values = element.get("Value", [])
    if not isinstance(values, list) or (values and vr in BINARY_WIDTH):
        raise MalformedObject(f"{path}: Value is an array, of a VR that is not binary", tag)
    if vr == "SQ":
        checked: list[Any] = [_data_set(item, f"{path}[{at}]", depth - 1) for at, item in enumerate(values)]
    else:
        checked = [_value(vr, value, path, tag) for value in values]
    return {"vr": vr, "Value": checked} if any(value is not None for value in checked) else {"vr": vr}


def _vr(tag: int, given: str, path: str) -> str:
    """That of the data dictionary, where it knows one; a sequence is never taken for anything else."""
    known = implicit_vr(tag)
    if known == "UN":
        return given
    if (known == "SQ") != (given == "SQ"):
        raise MalformedObject(f"{path}: its vr is {known}", tag)
    return given if (known in ("US", "OW")) else known


def _value(vr: str, value: Any, path: str, tag: int) -> Any:
    if value is None or value == "":
        return None
    check: Callable[[Any], Any] = _CHECKS.get(vr, _text)
    checked = check(value)
    if checked is None or (isinstance(checked, str) and not (checked.isascii() or vr in CHARSET_VRS)):
        raise MalformedObject(f"{path}: a value does not fit its vr {vr}, or has a null character", tag)
    return checked or None if vr == "PN" else checked


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and "\0" not in value else None


def _number(value: Any) -> float | int | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _number_or_text(value: Any) -> float | int | str | None:
    return _text(value) if isinstance(value, str) else _number(value)


def _person_name(value: Any) -> dict[str, str] | None:
    """The component groups; a plain string, as some send it, is the alphabetic one."""
    if isinstance(value, str):
        value = dict(zip(_NAME_GROUPS, value.split("="), strict=False))
    if not isinstance(value, dict) or value.keys() - set(_NAME_GROUPS):
        return None
    groups = {name: group for name, group in value.items() if group not in (None, "")}
    return groups if all(_text(group) is not None for group in groups.values()) else None


_CHECKS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(NUMBER_CODES, _number),
    **dict.fromkeys(("IS", "DS", "SV", "UV"), _number_or_text),
    "PN": _person_name,
}
