"""Objects without the patient, over HTTP (PS3.18 9.4.1.2.1, PS3.15 Annex E)."""

import re
import subprocess
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydicom import DataElement, Dataset, dcmread
from pydicom.errors import InvalidDicomError
from pydicom.uid import (
    UID,
    BasicVoiceAudioWaveformStorage,
    ComputedRadiographyImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
    RTPlanStorage,
    SecondaryCaptureImageStorage,
    TwelveLeadECGWaveformStorage,
    VLPhotographicImageStorage,
    VLWholeSlideMicroscopyImageStorage,
)

from pacs.deidentification.table import OWN_ROWS, TABLE_E_1_1, YOUNGER_ROWS
from pacs.errors import ArchiveError
from testdata.composite import composite
from testdata.compressed import compressed
from testdata.ct import ct_series
from testdata.files import part10
from testdata.identified import NAME, TEXT, identified
from testdata.key_objects import key_objects
from testdata.presentation_state import presentation_state
from testdata.segmentation import nodule_segmentation
from testdata.studies import CHEST_CT
from tests.conftest import CORPUS
from tests.dicomweb.conftest import Library, Service, serving

# Rows of what stands in commands, directories and file meta information: in a data set it is out of place
OUTSIDE = {
    "AffectedSOPInstanceUID",
    "MediaStorageSOPInstanceUID",
    "ReferencedSOPInstanceUIDInFile",
    "RequestedSOPInstanceUID",
}
NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)


def ask(service: Service, dataset: Dataset, tag: str = "", **others: str) -> httpx.Response:
    parameters = {
        "requestType": "WADO",
        "studyUID": dataset.StudyInstanceUID,
        "seriesUID": dataset.SeriesInstanceUID,
        "objectUID": dataset.SOPInstanceUID,
        "contentType": "application/dicom",
        "anonymize": "yes",
    }
    return service.http.get(
        f"{service.host}/wado", params=parameters | others, headers={"If-None-Match": tag}
    )


def given(service: Service, dataset: Dataset, **others: str) -> Dataset:
    response = ask(service, dataset, **others)
    assert response.status_code == 200, response.text
    return dcmread(BytesIO(response.content))


def image(series_number: int = 301, **attributes: Any) -> Dataset:
    """A CT image with these attributes; None takes one away."""
    dataset = ct_series(slices=1, rows=16, columns=16, series_number=series_number)[0]
    for keyword, value in attributes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    return dataset


def all_values(dataset: Dataset) -> list[bytes]:
    """Of what names somebody or something, whether it is at the top or in an item."""
    kinds = ("AE", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UI", "UT")
    elements = [e for e in dataset.iterall() if e.VR in kinds and e.value and e.keyword not in KEPT]
    texts = {str(part) for e in elements for part in ([*e.value] if e.VM > 1 else [e.value])}
    return [text.encode("latin-1") for text in texts if len(text) > 3]


# What an image says of its making, which the profile leaves (PS3.15 Table E.1-1 lists none of it)
KEPT = {
    "ConvolutionKernel",
    "Manufacturer",
    "ManufacturerModelName",
    "RescaleType",
    "SOPClassUID",
    "SoftwareVersions",
    "WindowCenterWidthExplanation",
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of these tests alone."""
    with serving(tmp_path_factory.mktemp("shelf")) as running:
        yield running


@pytest.fixture(scope="module")
def telling(shelf: Service) -> tuple[Dataset, Dataset]:
    """An image with every attribute there is, and what is given of it."""
    dataset = identified(image(300))
    shelf.keep(dataset)
    return dataset, given(shelf, dataset)


ROWS = [
    (code, keyword)
    for rows in (TABLE_E_1_1, YOUNGER_ROWS, OWN_ROWS)
    for code, keywords in rows.items()
    for keyword in keywords.split()
]


def test_every_attribute_of_the_table_is_there_to_be_treated(telling: tuple[Dataset, Dataset]) -> None:
    before = telling[0]
    for dataset in (before, before.ContrastBolusAgentSequence[0]):
        assert {keyword for _, keyword in ROWS if keyword not in dataset} == OUTSIDE


@pytest.mark.parametrize("code", sorted(TABLE_E_1_1))
@pytest.mark.parametrize("within", [False, True], ids=["top", "item"])
def test_each_attribute_is_treated_as_the_table_says(
    telling: tuple[Dataset, Dataset], code: str, within: bool
) -> None:
    before, after = (d.ContrastBolusAgentSequence[0] if within else d for d in telling)
    keywords = [keyword for of, keyword in ROWS if of == code and keyword not in OUTSIDE]
    assert keywords
    checks: dict[str, Callable[[DataElement, DataElement | None], None]] = {
        "X": is_removed,
        "Z": is_empty,
        "X/Z": is_empty,
        "U": has_other_uids,
        "X/Z/U*": has_other_references,
    }
    for keyword in keywords:
        checks.get(code, says_nothing)(before[keyword], after.get(before[keyword].tag))


def is_removed(before: DataElement, after: DataElement | None) -> None:
    assert after is None, before.keyword


def is_empty(before: DataElement, after: DataElement | None) -> None:
    assert after is not None and after.is_empty, before.keyword


def says_nothing(before: DataElement, after: DataElement | None) -> None:
    assert after is not None and not after.is_empty and after.value != before.value, before.keyword
    assert after.VR == before.VR, before.keyword
    items = after.value if after.VR == "SQ" else []
    assert all(TEXT not in str(e.value) and e.value != NAME for item in items for e in item), before.keyword


def has_other_uids(before: DataElement, after: DataElement | None) -> None:
    assert after is not None, before.keyword
    assert re.fullmatch(r"2\.25\.\d{1,39}", after.value) and UID(after.value).is_valid, before.keyword


def has_other_references(before: DataElement, after: DataElement | None) -> None:
    assert after is not None, before.keyword
    (item,) = after.value
    assert item.ReferencedSOPClassUID == before.value[0].ReferencedSOPClassUID
    has_other_uids(before.value[0]["ReferencedSOPInstanceUID"], item["ReferencedSOPInstanceUID"])


def test_private_attributes_curves_and_overlays_go(telling: tuple[Dataset, Dataset]) -> None:
    before, after = telling
    assert any(e.tag.is_private for e in before.iterall())
    assert not any(e.tag.is_private for e in after.iterall())
    assert {e.tag.group for e in before} >= {0x5000, 0x6000}
    assert not {e.tag.group for e in after} & {0x5000, 0x6000}


def test_what_the_object_says_of_it(telling: tuple[Dataset, Dataset]) -> None:
    """PS3.15 E.1.1, E.2."""
    _, after = telling
    assert (after.PatientIdentityRemoved, after.LongitudinalTemporalInformationModified) == ("YES", "REMOVED")
    assert "Annex E" in after.DeidentificationMethod
    *earlier, code = after.DeidentificationMethodCodeSequence
    assert (code.CodeValue, code.CodingSchemeDesignator) == ("113100", "DCM")
    assert len(earlier) == 1  # what was said before


def test_the_pixels_need_no_cleaning_where_the_object_says_so(service: Service) -> None:
    """PS3.15 E.3.1."""
    dataset = image(302, BurnedInAnnotation="NO")
    service.keep(dataset)
    codes = given(service, dataset).DeidentificationMethodCodeSequence
    assert [code.CodeValue for code in codes] == ["113100", "113101"]


def test_nothing_of_the_patient_is_in_the_bytes(library: Library) -> None:
    dataset = library.ct[1]
    values = all_values(dataset)
    assert len(values) > 20
    body = ask(library.service, dataset).content.replace(dataset.PixelData, b"")
    assert [value for value in values if value in body] == []
    assert body[:132] == bytes(128) + b"DICM"
    meta = dcmread(BytesIO(ask(library.service, dataset).content)).file_meta
    assert "SourceApplicationEntityTitle" not in meta and "ReceivingApplicationEntityTitle" not in meta


def test_no_header_field_tells_the_original(library: Library) -> None:
    plain = ask(library.service, library.ct[1], anonymize="")
    assert plain.status_code == 400  # or the patient would be given to who wanted none
    response = ask(library.service, library.ct[1])
    told = str(response.headers)
    uids = (library.ct[1].SOPInstanceUID, library.ct[1].SeriesInstanceUID, library.ct[1].StudyInstanceUID)
    assert not any(uid in told for uid in uids)
    uid = dcmread(BytesIO(response.content)).SOPInstanceUID
    assert response.headers["content-disposition"] == f'attachment; filename="{uid}.dcm"'


def test_a_study_stays_together(library: Library) -> None:
    first, second = (given(library.service, one) for one in library.ct[:2])
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "PatientID"):
        assert first[keyword].value == second[keyword].value != library.ct[0][keyword].value
    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert first.file_meta.MediaStorageSOPInstanceUID == first.SOPInstanceUID


def test_references_lead_to_what_they_became(service: Service) -> None:
    images = ct_series(slices=3, rows=64, columns=64)
    segmentation = nodule_segmentation(images)
    service.keep(*images, segmentation)
    after = given(service, segmentation)
    uids = {given(service, one).SOPInstanceUID for one in images}
    (series,) = after.ReferencedSeriesSequence
    assert {item.ReferencedSOPInstanceUID for item in series.ReferencedInstanceSequence} <= uids
    assert series.SeriesInstanceUID == given(service, images[0]).SeriesInstanceUID


def test_the_same_is_given_each_time(library: Library) -> None:
    first, second = (ask(library.service, library.ct[2]) for _ in range(2))
    assert first.content == second.content
    assert first.headers["etag"] == second.headers["etag"]
    held = ask(library.service, library.ct[2], tag=first.headers["etag"])
    assert held.status_code == 304


def test_other_archives_give_other_uids(library: Library, service: Service) -> None:
    service.keep(library.ct[0])
    here, there = given(service, library.ct[0]), given(library.service, library.ct[0])
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "PatientID"):
        assert here[keyword].value != there[keyword].value


@pytest.mark.parametrize("stored", [*NATIVE, JPEGLSLossless, RLELossless])
def test_pixels_stay_as_they_are(service: Service, stored: str) -> None:
    dataset = image(304)
    kept = dataset if stored == ExplicitVRLittleEndian else compressed(dataset, stored)
    service.keep(kept)
    after = given(service, dataset)
    assert after.file_meta.TransferSyntaxUID == (ExplicitVRLittleEndian if stored in NATIVE else stored)
    assert after.PixelData == (dataset if stored in NATIVE else kept).PixelData


def test_the_transfer_syntax_may_be_chosen(library: Library) -> None:
    for syntax in (ExplicitVRLittleEndian, JPEG2000Lossless):
        after = given(library.service, library.ct[0], transferSyntax=syntax)
        assert after.file_meta.TransferSyntaxUID == syntax
        assert bytes(after.pixel_array) == bytes(library.ct[0].pixel_array)
        assert after.PatientName == ""
    refused = ask(library.service, library.ct[0], transferSyntax=ImplicitVRLittleEndian)
    assert (refused.status_code, "transferSyntax" in refused.json()["detail"]) == (406, True)
    assert ExplicitVRLittleEndian in refused.json()["detail"]


def test_a_long_object_is_made_as_it_is_sent(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ask(library.service, library.ct[0]).content
    monkeypatch.setattr("dicomweb.transcoding.MADE_AT_ONCE", 0)
    assert ask(library.service, library.ct[0]).content == whole


@pytest.mark.parametrize(
    ("named", "others"),
    [
        ("anonymize", {"anonymize": "no"}),
        ("anonymize", {"anonymize": "YES"}),
        ("anonymize", {"anonymize": ""}),
        ("anonymize", {"contentType": "image/jpeg"}),
        ("anonymize", {"contentType": ""}),
        ("annotation", {"annotation": "patient"}),
        ("frameNumber", {"frameNumber": "1"}),
        ("region", {"region": "0,0,1,1"}),
        ("presentationUID", {"presentationUID": "1.2.3"}),
    ],
)
def test_what_does_not_go_with_it_is_named(library: Library, named: str, others: dict[str, str]) -> None:
    response = ask(library.service, library.ct[0], **others)
    assert response.status_code == 400
    assert response.json()["detail"].startswith(f"{named}: ")


def test_what_is_not_there_is_not_found(library: Library) -> None:
    assert ask(library.service, library.ct[0], objectUID="1.2.3").status_code == 404


CLEAN = {"BurnedInAnnotation": "NO"}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "text in the pixels": ({"BurnedInAnnotation": "YES"}, "Burned In Annotation"),
    "who knows": ({"BurnedInAnnotation": "NONE"}, "Burned In Annotation"),
    "a picture of a screen": ({"ImageType": ["DERIVED", "SECONDARY"]}, "Burned In Annotation"),
    "secondary capture": ({"SOPClassUID": SecondaryCaptureImageStorage}, "Burned In Annotation"),
    "a plate": ({"SOPClassUID": ComputedRadiographyImageStorage}, "Burned In Annotation"),
    "a face": ({"RecognizableVisualFeatures": "YES"} | CLEAN, "Recognizable Visual Features"),
    "a photograph": ({"SOPClassUID": VLPhotographicImageStorage} | CLEAN, "Recognizable Visual Features"),
    "a label": (
        {"SOPClassUID": VLWholeSlideMicroscopyImageStorage, "SpecimenLabelInImage": "YES"} | CLEAN,
        "label of a specimen",
    ),
    "an overlay in the pixels": ({"OverlayBitPosition": 15}, "overlay"),
    "a private class": ({"SOPClassUID": UID("1.2.826.0.1.7")} | CLEAN, "SOP class"),
    "a plan of nothing": ({"PixelData": None}, "cannot be cleaned"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_may_show_the_patient_is_refused(service: Service, kind: str) -> None:
    attributes, reason = REFUSED[kind]
    attributes = dict(attributes)
    position = attributes.pop("OverlayBitPosition", None)
    dataset = image(305, **attributes)
    if position:
        dataset.add_new(0x60000102, "US", position)
    service.keep(dataset)
    refused(service, dataset, reason)


def refused(service: Service, dataset: Dataset, reason: str) -> None:
    response = ask(service, dataset)
    assert response.status_code == 403, response.text
    assert response.json()["error"] == "CannotDeidentify"
    assert reason in response.json()["detail"]


def test_reports_documents_graphics_sound_and_films_are_refused(library: Library, service: Service) -> None:
    state, notes = (
        presentation_state(library.ct, series_number=306),
        key_objects(library.ct, series_number=307),
    )
    voice = composite(CHEST_CT, BasicVoiceAudioWaveformStorage, "AU", 308, 1)
    service.keep(state, notes, voice)
    for dataset in (state, notes, voice):
        refused(service, dataset, "cannot be cleaned")
    for dataset in (library.report, library.pdf):
        refused(library.service, dataset, "cannot be cleaned")
    refused(library.service, library.film, "film")
    refused(library.service, library.cine, "Burned In Annotation")  # an ultrasound that does not say


@pytest.mark.parametrize(
    "attributes",
    [
        {"SOPClassUID": SecondaryCaptureImageStorage} | CLEAN,
        {"SOPClassUID": ComputedRadiographyImageStorage} | CLEAN,
        {"SOPClassUID": VLPhotographicImageStorage, "RecognizableVisualFeatures": "NO"} | CLEAN,
        {"ImageType": ["DERIVED", "SECONDARY"]} | CLEAN,
        {"ImageType": ["DERIVED", "PRIMARY"]},
    ],
)
def test_what_says_that_it_is_clean_is_given(service: Service, attributes: dict[str, Any]) -> None:
    dataset = image(309, **attributes)
    service.keep(dataset)
    assert given(service, dataset).PixelData == dataset.PixelData


@pytest.mark.parametrize("sop_class", [TwelveLeadECGWaveformStorage, RTPlanStorage])
def test_numbers_are_given_without_pixels(service: Service, sop_class: str) -> None:
    dataset = composite(CHEST_CT, sop_class, "OT", 310, 1)
    dataset.RTPlanLabel, dataset.ApprovalStatus = "Rossi", "APPROVED"
    service.keep(dataset)
    after = given(service, dataset)
    assert (after.RTPlanLabel, after.ApprovalStatus) == ("ANONYMIZED", "APPROVED")


def test_a_sequence_that_cannot_be_read_is_left_out(service: Service) -> None:
    """Its length is right and its inside is not, so the object is kept."""
    dataset = image(311)
    content = part10(dataset)
    place = content.index(b"\x18\x00\x50\x00DS")
    odd = b"\x18\x00\x12\x00SQ\0\0\x10\0\0\0Rossi^Maria#1970"
    service.keep(content[:place] + odd + content[place:])
    response = ask(service, dataset)
    assert response.status_code == 200
    assert b"Rossi" not in response.content


@pytest.mark.needs("dcmdump")
def test_dcmtk_reads_it(telling: tuple[Dataset, Dataset], shelf: Service, tmp_path: Path) -> None:
    path = tmp_path / "deidentified.dcm"
    path.write_bytes(ask(shelf, telling[0]).content)
    dumped = subprocess.run(["dcmdump", "-q", path], capture_output=True, text=True, check=True)
    assert dumped.stderr == ""
    assert "PatientIdentityRemoved" in dumped.stdout


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not at hand")
@pytest.mark.parametrize("folder", ["cornerstone3d", "highdicom"])
def test_objects_of_real_devices(service: Service, folder: str) -> None:
    """Each is given with its pixels and without its patient, or refused with a reason."""
    answers = {200: 0, 403: 0}
    for path in sorted((CORPUS / folder).glob("*.dcm")):
        try:
            dataset = dcmread(path)
            service.keep(path.read_bytes())
        except (InvalidDicomError, ArchiveError):  # it is not given, for it is not here
            continue
        response = ask(service, dataset)
        answers[response.status_code] += 1
        if response.status_code == 200:
            after = dcmread(BytesIO(response.content))
            assert after.get("PixelData") == dataset.get("PixelData")
            assert after.PatientName == after.AccessionNumber == ""
            assert not any(e.tag.is_private for e in after.iterall())
            before = {e.value for e in dataset.iterall() if e.VR == "UI" and e.value and e.VM == 1}
            uids = {e.value for e in after.iterall() if e.VR == "UI" and e.value and e.VM == 1}
            assert {uid for uid in uids & before if not uid.startswith("1.2.840.10008.")} == set()
    assert all(answers.values())
