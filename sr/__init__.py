"""Structured reports into FHIR: content tree, meaning, resources as plain dicts. Pure."""
