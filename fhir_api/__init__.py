"""FHIR R4 REST over what the report mapper and the index know."""
