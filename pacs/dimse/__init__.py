"""The archive over DICOM networking (PS3.7, PS3.8); the only room with pynetdicom."""

from pacs.dimse.server import DimseServer, Limits, TlsPort

__all__ = ["DimseServer", "Limits", "TlsPort"]
