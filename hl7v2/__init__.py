"""HL7 v2: orders from a RIS become steps of the modality worklist. The only room with the library hl7."""
