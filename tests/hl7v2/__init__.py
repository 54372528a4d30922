"""Orders in HL7 v2."""
