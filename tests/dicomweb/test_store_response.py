import pytest

from dicomweb.received import Received
from dicomweb.store_response import store_response, store_status
from pacs.errors import (
    ArchiveError,
    InstanceConflict,
    MalformedObject,
    OutOfSpace,
    StorageFailed,
    UnsupportedObject,
)
from pacs.model import Outcome, Stored

URL = "http://x/dicom-web"


def stored(study: str = "1.1", instance: str = "1.3") -> Received:
    return Received("1.4", instance, Stored(Outcome.STORED, study, "1.2", instance, "1.4"))


def failed(error: ArchiveError, instance: str = "1.9") -> Received:
    return Received("1.4" if instance else "", instance, error)


@pytest.mark.parametrize(
    ("received", "status"),
    [
        ([stored()], 200),
        ([stored(), failed(OutOfSpace(""))], 202),
        ([failed(MalformedObject(""))], 400),
        ([failed(MalformedObject("")), failed(InstanceConflict(""))], 409),
        ([failed(InstanceConflict("")), failed(StorageFailed(""))], 500),
        ([failed(StorageFailed("")), failed(OutOfSpace(""))], 507),
    ],
)
def test_the_status_tells_of_all(received: list[Received], status: int) -> None:
    assert store_status(received) == status


def test_the_response_has_what_it_needs_and_no_empty_sequences() -> None:
    assert store_response([stored()], URL) == {
        "00081190": {"vr": "UR", "Value": [f"{URL}/studies/1.1"]},
        "00081199": {
            "vr": "SQ",
            "Value": [
                {
                    "00081150": {"vr": "UI", "Value": ["1.4"]},
                    "00081155": {"vr": "UI", "Value": ["1.3"]},
                    "00081190": {"vr": "UR", "Value": [f"{URL}/studies/1.1/series/1.2/instances/1.3"]},
                }
            ],
        },
    }


def test_failures_are_named_where_their_names_are_known() -> None:
    unsupported = UnsupportedObject("its transfer syntax", 0x00020010)
    answer = store_response([failed(unsupported), failed(MalformedObject(""), "")], URL)
    assert answer == {
        "00081190": {"vr": "UR"},
        "00081198": {
            "vr": "SQ",
            "Value": [
                {
                    "00081150": {"vr": "UI", "Value": ["1.4"]},
                    "00081155": {"vr": "UI", "Value": ["1.9"]},
                    "00081197": {"vr": "US", "Value": [0xC122]},
                    "00000901": {"vr": "AT", "Value": ["00020010"]},
                    "00000902": {"vr": "LO", "Value": ["its transfer syntax"]},
                }
            ],
        },
        "0008119A": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [0xC000]}}]},
    }


def test_objects_of_several_studies_have_no_common_url() -> None:
    assert store_response([stored("1.1"), stored("1.5")], URL)["00081190"] == {"vr": "UR"}


def test_comments_fit_their_vr_and_tell_nothing_of_the_inside() -> None:
    answer = store_response([failed(MalformedObject("long " * 40)), failed(StorageFailed("/the/path"))], URL)
    commented, silent = answer["00081198"]["Value"]
    assert commented["00000902"]["Value"] == [("long " * 13)[:64].strip()]
    assert "00000902" not in silent


def test_discarded_elements_are_a_warning() -> None:
    one = stored()
    one.discarded = True
    (item,) = store_response([one], URL)["00081199"]["Value"]
    assert item["00081196"] == {"vr": "US", "Value": [0xB006]}
    assert store_status([one]) == 202


def test_that_another_form_is_kept_than_came_is_a_warning() -> None:
    one = Received("1.4", "1.3", Stored(Outcome.ALREADY_STORED, "1.1", "1.2", "1.3", "1.4", is_coerced=True))
    (item,) = store_response([one], URL)["00081199"]["Value"]
    assert item["00081196"] == {"vr": "US", "Value": [0xB000]}
    assert store_status([one]) == 202
