"""CodeableConcepts as the coded entries of DICOM (PS3.3 8.8): the way back of `sr.coding_schemes`."""

from sr.codes import Code
from sr.coding_schemes import BY_UID, NAMED
from sr.primitives import code as fhir_code
from sr.primitives import uid_uri
from sr.writing.element import Element

_LONG_STRING = 64  # characters of LO, of which a Code Meaning is
_LONG_CODE = 256  # characters of a Long Code Value that are taken

# The designators of systems; of several the one that is in use today.
_DESIGNATORS = {
    **{uid_uri(uid): designator for designator, uid in BY_UID.items()},
    **{system: designator for designator, system in reversed(NAMED.items())},
    "urn:ietf:bcp:47": "RFC5646",
}


def read_concept(element: Element) -> Code | None:
    """The first Coding of a CodeableConcept that DICOM has a designator for; None when there is nothing.

    Raises Unusable when there is none such.
    """
    if not element:
        return None
    for coding in element.each("coding"):
        designator = _DESIGNATORS.get(coding.text("system"), "")
        value = coding.text("code", _LONG_CODE)
        if designator and value and value == fhir_code(value):
            meaning = coding.text("display") or element.text("text") or value
            _without_backslash(coding, value + meaning)
            return Code(value, designator, meaning[:_LONG_STRING].strip())
    raise element.refuse(
        "coding", "no coding in a system that DICOM names, such as SNOMED CT, LOINC or DCM", "code-invalid"
    )


def require_concept(parent: Element, name: str) -> Code:
    """The same of a member that must be there."""
    code = read_concept(parent.child(name))
    if code is None:
        raise parent.refuse(name, "this is required", "required")
    return code


def _without_backslash(element: Element, text: str) -> None:
    if "\\" in text:
        raise element.refuse("", "no code or display of DICOM may have a backslash")
