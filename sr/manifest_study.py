"""The study of an imaging manifest as a FHIR R4 ImagingStudy and its Endpoints (IHE RAD.MADO Table 4.3-1)."""

from collections.abc import Callable, Mapping
from typing import Any

from sr import image_library as library
from sr.codes import Code
from sr.coding_schemes import DCM, CodingSchemes
from sr.identifiers import study_identifier
from sr.image_library import ImageLibrary, LibrarySeries, Properties
from sr.primitives import code as fhir_code
from sr.primitives import compact, date_and_time, dated, is_uid, stable_id, string, uid_uri

Resource = dict[str, Any]
Link = Callable[[Resource], Resource]  # from a resource to a reference to it

MADO = "https://profiles.ihe.net/RAD/MADO"
_EXTENSION = f"{MADO}/StructureDefinition"
_PAYLOAD = "http://terminology.hl7.org/CodeSystem/endpoint-payload-type"
_CONNECTION = "http://terminology.hl7.org/CodeSystem/endpoint-connection-type"

# What WADO-RS of any service gives (PS3.18 8.7.3)
_WADO_TYPES = (
    "application/dicom",
    "application/octet-stream",
    "application/dicom+xml",
    "application/dicom+json",
)


def manifest_study(
    told: ImageLibrary, study: Resource, schemes: CodingSchemes, zone: str, link: Link
) -> Resource:
    """The ImagingStudy. study: its members that the header of the manifest tells."""
    number = told.study.count(library.NUMBER_OF_SERIES)
    members = [_series(one, told.entries, schemes, zone, link) for one in told.series]
    return compact(
        {
            **study,
            "extension": [
                {"url": f"{_EXTENSION}/MadoAnatomicalRegionExtension", "valueCodeableConcept": region}
                for region in regions(told, schemes)
            ],
            "modality": modalities(told),
            "endpoint": [link(endpoint) for endpoint in viewers(told)],
            "numberOfSeries": len(told.series) if number is None else number,
            "numberOfInstances": sum(one["numberOfInstances"] for one in members),
            "procedureCode": [schemes.concept(code) for code in told.document.codes(library.PROCEDURE)],
            "series": members,
        }
    )


def header_members(uid: str, description: str, started: str, zone: str) -> Resource:
    """What the header of a manifest tells of its study. started: a DT value."""
    return {
        "resourceType": "ImagingStudy",
        "id": uid if is_uid(uid) else stable_id("study", uid),
        "identifier": [study_identifier(uid)] if is_uid(uid) else [],
        "status": "available",
        **dated("started", started, zone),
        "description": string(description),
    }


def modalities(told: ImageLibrary) -> list[Resource]:
    """Codings of the modalities that the library names, or else of those of its series."""
    codes = told.study.codes(library.MODALITY)
    codes = codes or [code for one in told.series for code in one.properties.codes(library.MODALITY)]
    return list({code.value: _modality(code) for code in codes if code.value}.values())


def regions(told: ImageLibrary, schemes: CodingSchemes) -> list[Resource]:
    """The regions of the body that the study covers, as CodeableConcepts."""
    return [schemes.concept(code) for code in told.study.codes(library.TARGET_REGION)]


def wado_endpoint(series: LibrarySeries) -> Resource | None:
    """The Endpoint from which a series is had; None when the manifest does not say."""
    if not series.retrieve_url and not series.location:
        return None
    location = {
        "url": f"{_EXTENSION}/MadoRetrieveLocationUIDExtension",
        "valueString": string(series.location),
    }
    coding = {"system": _CONNECTION, "code": "dicom-wado-rs"}
    endpoint = _endpoint(series.retrieve_url, series.location, coding, "DICOM WADO-RS", _WADO_TYPES)
    return compact({**endpoint, "extension": [location] if series.location else []})


def viewers(told: ImageLibrary) -> list[Resource]:
    """The Endpoints at which a viewer shows the study."""
    coding = {"system": f"{MADO}/CodeSystem/MadoEndpointConnectionTypes", "code": "web-viewer"}
    return [_endpoint(address, "", coding, "Web viewer", ("text/html",)) for address in told.viewers]


def _endpoint(
    address: str, location: str, connection: Resource, name: str, media_types: tuple[str, ...]
) -> Resource:
    absent = {
        "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
        "valueCode": "not-applicable",
    }
    return {
        "resourceType": "Endpoint",
        "id": stable_id("endpoint", address, location, name),
        "status": "active",
        "connectionType": connection,
        "name": name,
        "payloadType": [
            {"coding": [{"system": _PAYLOAD, "code": "none", "display": "None"}], "text": name},
        ],
        "payloadMimeType": list(media_types),
        # R4 requires an address; MADO tells by the extension that it is none (XC-WADO goes by the location)
        **(
            {"address": address}
            if address
            else {"address": "urn:x-dicom:none", "_address": {"extension": [absent]}}
        ),
    }


def _series(
    series: LibrarySeries, entries: Mapping[str, Properties], schemes: CodingSchemes, zone: str, link: Link
) -> Resource:
    told = series.properties
    modality, region = told.code(library.MODALITY), told.code(library.TARGET_REGION)
    side = told.code(library.LATERALITY)
    number, endpoint = told.count(library.NUMBER_OF_INSTANCES), wado_endpoint(series)
    started = date_and_time(told.text(library.SERIES_DATE), told.text(library.SERIES_TIME))
    return compact(
        {
            "uid": series.uid,
            "number": told.count(library.SERIES_NUMBER),
            # FHIR requires a modality; OT is what DICOM calls one that is none of its own.
            "modality": _modality(modality or Code("OT", "", "")),
            "description": string(told.text(library.SERIES_DESCRIPTION)),
            "numberOfInstances": len(series.instances) if number is None else number,
            "endpoint": [link(endpoint)] if endpoint else [],
            "bodySite": _coding(region, schemes),
            "laterality": _coding(side, schemes),
            **dated("started", started, zone),
            "instance": [
                _instance(uid, sop_class, entries.get(uid, Properties()), schemes)
                for uid, sop_class in series.instances.items()
                if is_uid(uid) and is_uid(sop_class)
            ],
        }
    )


def _instance(uid: str, sop_class: str, told: Properties, schemes: CodingSchemes) -> Resource:
    frames, title = told.count(library.NUMBER_OF_FRAMES), told.code(library.DOCUMENT_TITLE)
    extensions = (
        frames and {"url": f"{_EXTENSION}/MadoNumberOfFrames", "valueInteger": frames},
        title
        and {
            "url": f"{_EXTENSION}/MadoKeyObjectDocumentTitle",
            "valueCodeableConcept": schemes.concept(title),
        },
    )
    return compact(
        {
            "extension": [extension for extension in extensions if extension],
            "uid": uid,
            "sopClass": {"system": "urn:ietf:rfc:3986", "code": uid_uri(sop_class)},
            "number": told.count(library.INSTANCE_NUMBER),
            "title": string(told.text(library.DESCRIPTION)),
        }
    )


def _modality(code: Code) -> Resource:
    return {"system": DCM, "code": fhir_code(code.value or code.meaning) or "OT"}


def _coding(code: Code | None, schemes: CodingSchemes) -> Resource:
    """A Coding; a code without a value is told by its meaning alone."""
    if code is None:
        return {}
    return next(iter(schemes.codings(code)), compact({"display": string(code.meaning)}))
