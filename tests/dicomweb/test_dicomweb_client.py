"""The service as dicomweb-client, a client of others' making, sees it."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from requests import HTTPError

from testdata.ct import ct_series
from testdata.files import part10
from testdata.us import us_cine
from tests.dicomweb.conftest import Library, Service


def from_file(dataset: Dataset) -> Dataset:
    """As read from a file: the client leaves the preamble out where an object never had one."""
    return dcmread(BytesIO(part10(dataset)))


def test_what_is_stored_is_found_and_retrieved(service: Service) -> None:
    slices = [from_file(d) for d in ct_series(slices=3, rows=32, columns=32)]
    client = service.client
    answer = client.store_instances(slices)
    assert len(answer.ReferencedSOPSequence) == 3
    assert "FailedSOPSequence" not in answer
    study, series = slices[0].StudyInstanceUID, slices[0].SeriesInstanceUID
    assert [s["0020000D"]["Value"] for s in client.search_for_studies()] == [[study]]
    assert [s["0020000E"]["Value"] for s in client.search_for_series(study)] == [[series]]
    found = client.search_for_instances(study, series, search_filters={"InstanceNumber": 2})
    assert [i["00080018"]["Value"] for i in found] == [[slices[1].SOPInstanceUID]]
    for one in (*client.retrieve_study(study), *client.retrieve_series(study, series)):
        (sent,) = (d for d in slices if d.SOPInstanceUID == one.SOPInstanceUID)
        assert one == sent
    assert client.retrieve_instance(study, series, slices[0].SOPInstanceUID) == slices[0]


def test_pages_join(library: Library) -> None:
    client = library.service.client
    first = client.search_for_instances(limit=3)
    rest = client.search_for_instances(offset=3)
    assert len(first) == 3
    assert first + rest == client.search_for_instances()
    assert client.search_for_studies(search_filters={"PatientID": "NOBODY"}) == []


def test_metadata_come_at_every_level(library: Library) -> None:
    client, dataset = library.service.client, library.ct[0]
    study, series = dataset.StudyInstanceUID, dataset.SeriesInstanceUID
    assert len(client.retrieve_study_metadata(study)) == 6
    assert len(client.retrieve_series_metadata(study, series)) == 4
    one = client.retrieve_instance_metadata(study, series, dataset.SOPInstanceUID)
    assert one["00280010"]["Value"] == [64]


def test_frames_come_as_stored(library: Library) -> None:
    client, dataset = library.service.client, library.ct[0]
    uids = dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID
    (frame,) = client.retrieve_instance_frames(*uids, frame_numbers=[1])
    assert frame == dataset.PixelData
    cine = library.cine
    uids = cine.StudyInstanceUID, cine.SeriesInstanceUID, cine.SOPInstanceUID
    media_types = (("image/jpeg", cine.file_meta.TransferSyntaxUID),)
    frames = client.retrieve_instance_frames(*uids, frame_numbers=[2, 5], media_types=media_types)
    assert [Image.open(BytesIO(one)).size for one in frames] == [(64, 48)] * 2


def test_rendered_pictures_come(library: Library) -> None:
    client, cine = library.service.client, library.cine
    uids = cine.StudyInstanceUID, cine.SeriesInstanceUID, cine.SOPInstanceUID
    for content in (
        client.retrieve_instance_rendered(*uids, media_types=("image/jpeg",)),
        client.retrieve_instance_frames_rendered(*uids, frame_numbers=[2], media_types=("image/jpeg",)),
    ):
        assert np.asarray(Image.open(BytesIO(content))).shape == (48, 64, 3)
    pdf = library.pdf
    uids = pdf.StudyInstanceUID, pdf.SeriesInstanceUID, pdf.SOPInstanceUID
    document = client.retrieve_instance_rendered(*uids, media_types=("application/pdf",))
    assert document.startswith(b"%PDF")


def test_bulk_data_come_from_where_the_metadata_say(library: Library) -> None:
    client, dataset = library.service.client, library.ct[0]
    uids = dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID
    uri = client.retrieve_instance_metadata(*uids)["7FE00010"]["BulkDataURI"]
    (value,) = client.retrieve_bulkdata(library.service.host + uri)
    assert value == dataset.PixelData
    uri = client.retrieve_instance_metadata(
        library.cine.StudyInstanceUID, library.cine.SeriesInstanceUID, library.cine.SOPInstanceUID
    )["7FE00010"]["BulkDataURI"]
    assert len(client.retrieve_bulkdata(library.service.host + uri, media_types=("image/jpeg",))) == 5


def test_refused_objects_are_told_of(service: Service) -> None:
    good, bad = (from_file(d) for d in ct_series(slices=2, rows=16, columns=16))
    bad.StudyInstanceUID = "not a UID"
    answer = service.client.store_instances([good, bad])
    assert len(answer.ReferencedSOPSequence) == len(answer.FailedSOPSequence) == 1
    (failed,) = answer.FailedSOPSequence
    assert (failed.ReferencedSOPInstanceUID, failed.FailureReason) == (bad.SOPInstanceUID, 0x0117)
    assert failed[0x00000901].value == 0x0020000D
    assert "is not a UID" in failed[0x00000902].value
    loop = from_file(us_cine(frames=1, rows=16, columns=16))
    with pytest.raises(HTTPError, match="409"):
        service.client.store_instances([loop], study_instance_uid="1.2.3")
