"""Sending what the archive knows to a FHIR server of others, for records that do not come to ask."""
