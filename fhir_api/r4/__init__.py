"""FHIR R4 itself, from HL7's definitions: order and types of elements, XML, validity. Knows no archive."""
