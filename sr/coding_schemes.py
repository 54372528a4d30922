"""Coding schemes as FHIR code systems, and codes as Codings and CodeableConcepts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sr import lenient
from sr.codes import SNOMED_RT, Code
from sr.primitives import code as fhir_code
from sr.primitives import compact, is_uid, string, uid_uri, uri_part

DCM = "http://dicom.nema.org/resources/ontology/DCM"
LOINC = "http://loinc.org"
SCT = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
UMLS = "http://terminology.hl7.org/CodeSystem/umls"

# PS3.16 Table 8-1: designators whose systems HL7 names.
NAMED = {
    "C4": "http://www.ama-assn.org/go/cpt",
    "DCM": DCM,
    "I10": "http://hl7.org/fhir/sid/icd-10",
    "I10C": "http://hl7.org/fhir/sid/icd-10-cm",
    "I10P": "http://www.cms.gov/Medicare/Coding/ICD10",
    "I11": "http://id.who.int/icd/release/11/mms",
    "I9C": "http://hl7.org/fhir/sid/icd-9-cm",
    "IETF4646": "urn:ietf:bcp:47",
    "ISO3166_1": "urn:iso:std:iso:3166",
    "ISO_OID": "urn:ietf:rfc:3986",
    "LN": LOINC,
    "MDC": "urn:iso:std:iso:11073:10101",
    "NCIt": "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl",
    "NDC": "http://hl7.org/fhir/sid/ndc",
    "NPI": "http://hl7.org/fhir/sid/us-npi",
    "RADLEX": "http://radlex.org",
    "RFC3066": "urn:ietf:bcp:47",
    "RFC5646": "urn:ietf:bcp:47",
    "RXNORM": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "SCT": SCT,
    "UCUM": UCUM,
    "UMLS": UMLS,
}

# PS3.16 Table 8-1: the others that have a UID. SRT is left out: its UID there is that of SNOMED CT,
# whose codes are others.
BY_UID = {
    "99SDM": "2.16.840.1.113883.6.53",
    "ACR": "2.16.840.1.113883.6.76",
    "ASTM-sigpurpose": "1.2.840.10065.1.12",
    "C5": "2.16.840.1.113883.6.82",
    "caDSR": "2.16.840.1.113883.3.26.2",
    "CD2": "2.16.840.1.113883.6.13",
    "CTV3": "2.16.840.1.113883.6.6",
    "DC": "1.2.840.10008.2.16.10",
    "DCMUID": "1.2.840.10008.2.6.1",
    "FMA": "2.16.840.1.113883.6.119",
    "HPC": "2.16.840.1.113883.6.14",
    "I9": "2.16.840.1.113883.6.42",
    "IBSI": "1.2.840.10008.2.16.13",
    "ICDO3": "2.16.840.1.113883.6.43.1",
    "ISO639_1": "2.16.840.1.113883.6.99",
    "ISO639_2": "2.16.840.1.113883.6.100",
    "ITIS_TSN": "1.2.840.10008.2.16.7",
    "MA": "1.2.840.10008.2.16.5",
    "MAYOASRG": "1.2.840.10008.2.16.12",
    "MGI": "1.2.840.10008.2.16.8",
    "MSH": "2.16.840.1.113883.6.177",
    "NBD": "2.16.840.1.113883.15.2",
    "NBG": "2.16.840.1.113883.15.3",
    "NEU": "2.16.840.1.113883.6.210",
    "NICIP": "2.16.840.1.113883.2.1.3.2.4.21",
    "NYUMCCG": "1.2.840.10008.2.16.11",
    "PATHLEX": "1.3.6.1.4.1.19376.1.8.2.1",
    "POS": "2.16.840.1.113883.6.50",
    "PUBCHEM_CID": "1.2.840.10008.2.16.9",
    "RADELEMENT": "1.2.840.10008.2.16.15",
    "RO": "1.2.840.10008.2.16.14",
    "RRID": "1.2.840.10008.2.16.18",
    "SNM3": "2.16.840.1.113883.6.51",
    "UBERON": "1.2.840.10008.2.16.6",
    "UNS": "1.2.840.10008.2.16.17",
    "UPC": "2.16.840.1.113883.6.55",
}

_URN_CODE = re.compile(r"(?i)(urn|https?):\S+")


@dataclass(frozen=True, slots=True)
class CodingSchemes:
    """The coding schemes of one data set.

    manufacturer: of the equipment, as private designators collide between vendors.
    uids: Coding Scheme UIDs by designator, from Coding Scheme Identification Sequence (0008,0110).
    """

    manufacturer: str
    uids: Mapping[str, str]
    _concepts: dict[Code, dict[str, Any]] = field(default_factory=dict, compare=False, repr=False)

    def system(self, designator: str) -> str:
        """The FHIR code system of a designator; empty when there is no designator."""
        if not designator:
            return ""
        if designator in NAMED:
            return NAMED[designator]
        if designator in BY_UID:
            return uid_uri(BY_UID[designator])
        if designator in self.uids and designator not in SNOMED_RT:
            return uid_uri(self.uids[designator])
        maker = "" if designator in SNOMED_RT else uri_part(self.manufacturer)
        return ":".join(part for part in ("urn:x-dicom:coding-scheme", maker, uri_part(designator)) if part)

    def codings(self, code: Code) -> list[dict[str, Any]]:
        """The code as Codings: in the scheme that is used today first, then as the file has it."""
        if not code.value:
            return []
        if not code.scheme and _URN_CODE.fullmatch(code.value):
            return [self._coding("urn:ietf:rfc:3986", code.value, code.meaning)]
        scheme, value = code.key
        today = self._coding(self.system(scheme), value, code.meaning)
        if (scheme, value) == (code.scheme, code.value) or code.scheme not in SNOMED_RT:
            return [today]
        return [today, self._coding(self.system(code.scheme), code.value, code.meaning)]

    def concept(self, code: Code | None) -> dict[str, Any]:
        """The code as a CodeableConcept; without a code, one that says so. All uses of a code share it."""
        if code is None:
            return {"text": "unnamed"}
        concept = self._concepts.get(code)
        if concept is None:
            concept = compact({"coding": self.codings(code), "text": string(code.label)})
            self._concepts[code] = concept
        return concept

    @staticmethod
    def _coding(system: str, value: str, meaning: str) -> dict[str, Any]:
        return compact({"system": system, "code": fhir_code(value), "display": string(meaning)})


def read_coding_schemes(dataset: lenient.Source) -> CodingSchemes:
    """The coding schemes that a data set declares."""
    uids = {}
    for item in lenient.items(dataset, "CodingSchemeIdentificationSequence"):
        designator, uid = (
            lenient.text(item, "CodingSchemeDesignator"),
            lenient.text(item, "CodingSchemeUID"),
        )
        if designator and is_uid(uid):
            uids[designator] = uid
    return CodingSchemes(lenient.text(dataset, "Manufacturer"), uids)
