import pytest
from starlette.requests import Request

from dicomweb.media_types import NotAcceptable, Representation, frame_offers
from dicomweb.negotiation import Negotiation

JPEG_LS = "1.2.840.10008.1.2.4.80"


def request(accept: str = "", query: str = "") -> Request:
    headers = [(b"accept", accept.encode())] if accept else []
    return Request({"type": "http", "query_string": query.encode(), "headers": headers})


def test_the_same_words_are_thought_over_once() -> None:
    asked: list[str] = []

    def offers(name: str) -> tuple[Representation, ...]:
        asked.append(name)
        return (Representation(name),)

    negotiation = Negotiation()
    for _ in range(3):
        assert negotiation.choose(request("image/*"), offers, "image/png").media_type == "image/png"
    assert asked == ["image/png"]
    assert negotiation.choose(request("image/*"), offers, "image/gif").media_type == "image/gif"
    with pytest.raises(NotAcceptable):
        negotiation.choose(request("text/html"), offers, "image/png")


def test_frames_are_given_as_viewers_ask_for_them() -> None:
    choose = Negotiation().choose
    for accept in (
        'multipart/related; type="application/octet-stream"; transfer-syntax="*"',
        "multipart/related; type=application/octet-stream; transfer-syntax=*",
    ):
        form = choose(request(accept), frame_offers, JPEG_LS, True)
        assert (form.media_type, form.transfer_syntax_uid, form.multipart) == (
            "application/octet-stream",
            JPEG_LS,
            True,
        )


def test_the_parameter_goes_before_the_header() -> None:
    form = Negotiation().choose_data_sets(request("application/dicom+json", "accept=application/json"))
    assert form.media_type == "application/json"
    form = Negotiation().choose_data_sets(
        request("application/dicom+json", "accept=application/dicom%2Bjson")
    )
    assert form.media_type == "application/dicom+json"
