"""Everything at once, as files: Bulk Data Access (http://hl7.org/fhir/uv/bulkdata)."""
