"""Reading what arrives: elements, header values, DICOM JSON, frame positions."""
