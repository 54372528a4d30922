"""Fictional patients, with names and identifiers that nobody bears."""

from dataclasses import dataclass

# 2.999 is the arc that ITU-T X.660 sets aside for examples.
HOSPITAL_OID = "2.999.39.1"
HOSPITAL = "OSPEDALE-PROVA"


@dataclass(frozen=True)
class Patient:
    """Who is examined.

    name: person name, family^given.  birth_date: YYYYMMDD.  sex: M, F or O.
    size: metres.  weight: kilograms.
    identifier: built like a codice fiscale, but with month X and day 00, so that it can be nobody's.
    issuer: local namespace;  issuer_oid: its universal entity identifier (ISO).
    """

    name: str
    identifier: str
    birth_date: str
    sex: str
    size: str
    weight: str
    issuer: str = HOSPITAL
    issuer_oid: str = HOSPITAL_OID


LETIZIA = Patient("Zanòbi^Letìzia", "ZNBLTZ58X00X001A", "19580314", "F", "1.64", "61")
NICCOLO = Patient("D'Amicò^Niccolò", "DMCNCL71X00X002B", "19711102", "M", "1.78", "82")
COSME = Patient("Pèsaro^Cosmè", "PSRCSM49X00X003C", "19490627", "M", "1.71", "74")
PATIENTS = (LETIZIA, NICCOLO, COSME)
