"""Measured numbers as FHIR Quantities, with units in UCUM only where they are UCUM."""

import re
from decimal import Decimal
from typing import Any

from sr.codes import Code
from sr.coding_schemes import UCUM
from sr.primitives import compact, string
from sr.ucum import is_ucum

# Units that devices send under UCUM though they are none, and what they mean.
# The SUV units are DICOM's own (PS3.16 CID 85); UCUM wants an annotation behind its unit.
REPAIRED = {
    "Gy.cm^2": "Gy.cm2",
    "Gycm2": "Gy.cm2",
    "Gym2": "Gy.m2",
    "X-ray sources": "{X-ray_sources}",
    "cGycm2": "cGy.cm2",
    "dGycm2": "dGy.cm2",
    "mAs": "mA.s",
    "mGycm": "mGy.cm",
    "mGycm2": "mGy.cm2",
    "pulse/s": "{pulse}/s",
    "pulses": "{pulses}",
    "uAs": "uA.s",
    "uGycm2": "uGy.cm2",
    "uGym2": "uGy.m2",
    "{SUVbsa}cm2/ml": "cm2{SUVbsa}/ml",
    "{SUVbw}g/ml": "g{SUVbw}/ml",
    "{SUVibw}g/ml": "g{SUVibw}/ml",
    "{SUVlbm}g/ml": "g{SUVlbm}/ml",
}


def ucum_code(text: str) -> str:
    """The valid UCUM code for what a file has under UCUM; empty when there is none."""
    if is_ucum(text):
        return text
    if text in REPAIRED:
        return REPAIRED[text]
    tidied = re.sub(r"\{[^{}]*\}", lambda annotation: annotation[0].replace(" ", "_"), text).replace("^", "")
    return tidied if is_ucum(tidied) else ""


def quantity(value: Decimal, unit: Code | None) -> dict[str, Any]:
    """A Quantity. Its system and code are given only for a valid, or safely repaired, UCUM unit."""
    if unit is None:
        return {"value": value}
    scheme, written = unit.key
    valid = ucum_code(written) if scheme == "UCUM" else ""
    shown = unit.label if valid == written or not _says_more(written) else written
    return compact({"value": value, "unit": string(shown), "system": UCUM if valid else "", "code": valid})


def _says_more(written: str) -> bool:
    """Whether the code tells a reader more than its meaning, which may be no more than "Length Unit"."""
    return ucum_code(written) != ""
