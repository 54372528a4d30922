"""Subscriptions (FHIR R4 2.46): who is told, by a call to an address of theirs, that resources changed."""
