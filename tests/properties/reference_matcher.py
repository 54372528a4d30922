"""Matching as PS3.4 C.2.2.2 tells it, in memory and without regard to speed: what SQL is compared with."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from pacs.attributes import ATTRIBUTES, Attribute, Matching
from pacs.model import Level
from tests.properties.query_cases import INSTANCES, SERIES, STUDIES, Values, uid_of

BY_KEYWORDS: dict[str, Attribute] = {".".join(attribute.path): attribute for attribute in ATTRIBUTES}
_LABELS = {Level.PATIENT: STUDIES, Level.STUDY: STUDIES, Level.SERIES: SERIES, Level.INSTANCE: INSTANCES}


def found_in_memory(level: Level, keys: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """The labels of all that the keys match."""
    labels = {label for label in _LABELS[level] if all(_matches(label, *key) for key in keys.items())}
    if level is Level.PATIENT:
        return frozenset(min(other for other in STUDIES if _same_patient(other, label)) for label in labels)
    return frozenset(labels)


def _matches(label: str, path: str, wanted: Sequence[str]) -> bool:
    wanted = [value.strip() for value in wanted if value.strip()]
    if not wanted or wanted == ["*"]:
        return True
    if path == "ModalitiesInStudy":
        return any(_matches(series, "Modality", wanted) for series in SERIES if series[0] == label[0])
    if path == "SOPClassesInStudy":
        return any(_matches(series, "SOPClassUID", wanted) for series in SERIES if series[0] == label[0])
    stored = _stored(label).get(path)
    return stored is not None and any(_one(BY_KEYWORDS[path].matching, stored, value) for value in wanted)


def _stored(label: str) -> Values:
    uids = {"StudyInstanceUID": uid_of(label[0]), "SeriesInstanceUID": uid_of(label[:2])}
    below = {**SERIES.get(label[:2], {}), **INSTANCES.get(label, {})}
    return {**STUDIES[label[0]], **below, **uids, "SOPInstanceUID": uid_of(label)}


def _same_patient(one: str, other: str) -> bool:
    identities = [
        (values.get("PatientID"), values.get("IssuerOfPatientID"))
        for values in (STUDIES[one], STUDIES[other])
    ]
    return one == other or (identities[0] == identities[1] and identities[0][0] is not None)


def _one(matching: Matching, stored: str, wanted: str) -> bool:
    match matching:
        case Matching.DATE:
            return _within(stored.replace(".", ""), wanted, "00000000", "99999999")
        case Matching.TIME:
            return _within(stored.replace(":", ""), wanted, "000000.000000", "235959.999999")
        case Matching.NUMBER:
            return int(stored) == int(wanted)
        case Matching.TEXT:
            return _like(plain(stored), plain(wanted))
        case Matching.NAME:
            name, pattern = plain(stored), plain(wanted)
            return any(_like(group, pattern) for group in (name, *name.split("=")))
    return _like(stored, wanted)


def plain(text: str) -> str:
    """Capitals without accents; the components of a name parted by single blanks, none at the end."""
    letters = unicodedata.normalize("NFD", text.replace("^", " "))
    upper = "".join(letter for letter in letters if unicodedata.category(letter) != "Mn").upper()
    return "=".join(re.sub(" +", " ", group).strip() for group in upper.split("="))


def _like(stored: str, pattern: str) -> bool:
    signs = {"*": ".*", "?": "."}
    expression = "".join(signs.get(letter, re.escape(letter)) for letter in pattern)
    return re.fullmatch(expression, stored, re.DOTALL) is not None


def _within(stored: str, wanted: str, first: str, last: str) -> bool:
    low, dash, high = wanted.partition("-")
    high = high if dash else low
    moment = stored + first[len(stored) :]
    return low + first[len(low) :] <= moment <= high + last[len(high) :]
