"""The archive. It knows DICOM and knows no web."""
