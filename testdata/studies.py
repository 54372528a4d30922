"""What all objects of one study share, and the UIDs, dates and noise that follow from its seed."""

import zlib
from dataclasses import dataclass

import numpy as np
from pydicom.uid import UID, generate_uid

from testdata.patients import COSME, LETIZIA, NICCOLO, Patient


def uid(*parts: object) -> UID:
    """The same UID for the same parts, and another for others."""
    return generate_uid(entropy_srcs=["diafana testdata", *(repr(part) for part in parts)])


@dataclass(frozen=True)
class Study:
    """A study.

    seed: all UIDs, the accession number and the noise follow from it, and from nothing else: two studies with
    one seed and two patients are the same study, claimed for both.
    date, time: YYYYMMDD and HHMMSS, local;  timezone: offset from UTC at that moment, such as +0100.
    """

    seed: int
    patient: Patient = LETIZIA
    description: str = "Esame di prova"
    date: str = "20261012"
    time: str = "091500"
    timezone: str = "+0200"
    referring_physician: str = "Cantù^Noè"

    @property
    def uid(self) -> UID:
        """Study Instance UID."""
        return uid("study", self.seed)

    @property
    def accession_number(self) -> str:
        """Accession number, SH."""
        return f"PROVA{self.seed:07d}"

    def series_uid(self, modality: str, series_number: int) -> UID:
        """Series Instance UID."""
        return uid("series", self.seed, modality, series_number)

    def random(self, *parts: object) -> np.random.Generator:
        """A generator of its own for what the parts name."""
        return np.random.default_rng([self.seed, zlib.crc32(repr(parts).encode())])


CHEST_CT = Study(1, LETIZIA, "TC torace con mezzo di contrasto")
HEAD_MR = Study(2, NICCOLO, "RM encefalo", "20261019", "143000")
HEART_US = Study(3, COSME, "Ecocardiogramma", "20261103", "101000", "+0100")
CHEST_XRAY = Study(4, COSME, "Radiografia del torace", "20261103", "083000", "+0100")
NECK_US = Study(6, COSME, "Ecocolordoppler dei tronchi sovraaortici", "20261105", "090000", "+0100")
BREAST_XRAY = Study(5, LETIZIA, "Mammografia", "20261104", "113000", "+0100")
FETAL_US = Study(7, LETIZIA, "Ecografia ostetrica", "20261106", "100000", "+0100")
