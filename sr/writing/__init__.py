"""The way back: what is posted as FHIR R4 Observations, written as a structured report (PS3.16 TID 1500)."""
