"""The web page, and the few lines that serve it. It speaks DICOMweb and FHIR only."""
