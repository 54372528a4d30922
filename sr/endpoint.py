"""The archive's DICOMweb service as a FHIR R4 Endpoint."""

from typing import Any

from sr.primitives import stable_id


def endpoint(base_url: str) -> dict[str, Any]:
    """The Endpoint of WADO-RS at a base URL, to which "/studies/..." is joined."""
    address = base_url.rstrip("/")
    return {
        "resourceType": "Endpoint",
        "id": stable_id("endpoint", address),
        "status": "active",
        "connectionType": {
            "system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type",
            "code": "dicom-wado-rs",
            "display": "DICOM WADO-RS",
        },
        "name": "DICOMweb",
        "payloadType": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/endpoint-payload-type",
                        "code": "none",
                        "display": "None",
                    }
                ],
                "text": "DICOM WADO-RS",
            }
        ],
        "payloadMimeType": ["application/dicom"],
        "address": address,
    }
