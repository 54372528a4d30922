import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomweb.media_types import (
    DATA_SET_OFFERS,
    DATA_SETS_OFFERS,
    MediaRange,
    NotAcceptable,
    acceptable,
    bulk_data_offers,
    frame_offers,
    instance_offers,
    parse_accept,
    parse_media_type,
    rendered_offers,
    select,
)
from dicomweb.syntaxes import COMPRESSED_MEDIA_TYPES, UNCOMPRESSED_SYNTAXES

IMPLICIT, EXPLICIT, BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
JPEG, JPEG_LOSSLESS, JPEG_LS = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80"
JPEG_2000, HTJ2K, RLE = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.5"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


def given_frame(accept: str | None, stored: str, one: bool = True) -> tuple[bool, str]:
    chosen = select(acceptable(accept), frame_offers(stored, one))
    return chosen.multipart, chosen.content_type


def test_ranges_are_read_with_their_parameters_and_weights() -> None:
    text = 'multipart/related; Type="Application/DICOM";transfer-syntax=*;q=0.5 , image/*;q=.25,*/*;q=0'
    assert parse_accept(text) == (
        MediaRange("multipart/related", (("type", "Application/DICOM"), ("transfer-syntax", "*")), 0.5),
        MediaRange("image/*", (), 0.25),
        MediaRange("*/*", (), 0.0),
    )


def test_commas_and_semicolons_in_quotes_part_nothing() -> None:
    assert parse_accept(r'a/b; c="d,e;f\"g", h/i') == (
        MediaRange("a/b", (("c", 'd,e;f"g'),)),
        MediaRange("h/i"),
    )


def test_what_is_no_media_type_is_passed_over() -> None:
    assert parse_accept(", ;q=1, nonsense, a/b/c, image/png") == (MediaRange("image/png"),)
    assert parse_accept("text/html, *; q=.2") == (MediaRange("text/html"), MediaRange("*/*", (), 0.2))
    assert parse_media_type("") is None


@pytest.mark.parametrize("weight", ["nan", "inf", "-1", "2", "x", "."])
def test_a_weight_that_is_none_counts_as_one(weight: str) -> None:
    assert parse_accept(f"a/b;q={weight}") == (MediaRange("a/b", (), 1.0),)


def test_endless_lists_are_cut_off() -> None:
    assert len(parse_accept("a/b," * 10_000)) == 64


@given(st.text(max_size=200) | st.text(alphabet=' ,;="\\/*ab', max_size=100))
def test_any_header_yields_an_offer_or_a_refusal(text: str) -> None:
    offers = frame_offers(JPEG_LS, one=True)
    try:
        assert select(acceptable(text, [text]), offers) in offers
    except NotAcceptable as refusal:
        assert "image/jls" in str(refusal)


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/dicom+json", "application/dicom+json"),
        ("application/json", "application/json"),
        ("application/dicom+json, application/json", "application/dicom+json"),
        ("application/json;q=1, application/dicom+json;q=0.5", "application/json"),
        ("application/dicom+json; charset=utf-8", "application/dicom+json"),
        (
            "application/dicom+json, multipart/related; type=application/octet-stream; transfer-syntax=*",
            "application/dicom+json",
        ),
        ("application/dicom+xml, */*;q=0.1", "application/dicom+json"),
        ('multipart/related; type="application/dicom+xml", */*;q=0.1', "application/dicom+xml"),
        ("multipart/related; type=application/dicom+xml", "application/dicom+xml"),
        ("multipart/related", "application/dicom+xml"),
        ('multipart/related; type="application/dicom+xml";q=0.5, application/json', "application/json"),
        ("application/dicom+json;q=0, */*", "application/json"),
        (BROWSER, "application/dicom+json"),
        ("*/*", "application/dicom+json"),
        ("", "application/dicom+json"),
        (None, "application/dicom+json"),
    ],
)
def test_metadata_and_results_are_json_but_for_who_prefers_xml(accept: str | None, media_type: str) -> None:
    assert select(acceptable(accept), DATA_SETS_OFFERS).content_type == media_type


def test_metadata_are_refused_with_what_is_on_offer() -> None:
    offers = r"application/dicom\+json, application/json, multipart/related; type=\"application/dicom\+xml\"$"
    with pytest.raises(NotAcceptable, match=f"on offer: {offers}"):
        select(acceptable("application/dicom+xml"), DATA_SETS_OFFERS)


def test_one_data_set_is_given_in_xml_without_parts() -> None:
    assert select(acceptable("application/dicom+xml"), DATA_SET_OFFERS).accept == "application/dicom+xml"
    with pytest.raises(NotAcceptable):
        select(acceptable('multipart/related; type="application/dicom+xml"'), DATA_SET_OFFERS)


@pytest.mark.parametrize(
    "accept",
    [
        'multipart/related; type="application/octet-stream"; transfer-syntax="*"',
        "multipart/related; type=application/octet-stream; transfer-syntax=*",
    ],
)
@pytest.mark.parametrize(
    ("stored", "stated"),
    [
        (IMPLICIT, EXPLICIT),
        (EXPLICIT, EXPLICIT),
        ("1.2.840.10008.1.2.1.99", EXPLICIT),
        (BIG_ENDIAN, BIG_ENDIAN),
        *((uid, uid) for uid in COMPRESSED_MEDIA_TYPES),
    ],
)
def test_the_viewer_gets_every_stored_frame_as_octets(accept: str, stored: str, stated: str) -> None:
    assert given_frame(accept, stored) == (True, f"application/octet-stream; transfer-syntax={stated}")


@pytest.mark.parametrize("stored", [IMPLICIT, EXPLICIT, BIG_ENDIAN, *COMPRESSED_MEDIA_TYPES])
def test_the_python_client_gets_every_stored_frame_under_its_own_type(stored: str) -> None:
    media_type = COMPRESSED_MEDIA_TYPES.get(stored, "application/octet-stream")
    multipart, content_type = given_frame('multipart/related; type="*/*"', stored)
    assert multipart
    assert content_type.startswith(f"{media_type}; transfer-syntax=")


@pytest.mark.parametrize(
    ("accept", "stored", "content_type"),
    [
        (f'multipart/related; type="image/jp2"; transfer-syntax={JPEG_2000}', JPEG_2000, "image/jp2"),
        ('multipart/related; type="image/jp2"', JPEG_2000, "image/jp2"),
        ('multipart/related; type="image/"', JPEG_LS, "image/jls"),
        ('multipart/related; type="image/*"; transfer-syntax=*', HTJ2K, "image/jphc"),
        ('multipart/related; type="image/x-jls"', JPEG_LS, "image/jls"),
        ('multipart/related; type="image/x-dicom-rle"', RLE, "image/dicom-rle"),
        ("multipart/related", RLE, "image/dicom-rle"),
        (
            f'multipart/related; type="image/jls"; transfer-syntax={JPEG_LS},'
            f' multipart/related; type="application/octet-stream"; transfer-syntax={EXPLICIT}',
            JPEG_LS,
            "image/jls",
        ),
        ('multipart/related; type="application/octet-stream"', JPEG, "application/octet-stream"),
    ],
)
def test_compressed_frames_are_given_under_the_type_that_was_asked(
    accept: str, stored: str, content_type: str
) -> None:
    assert given_frame(accept, stored) == (True, f"{content_type}; transfer-syntax={stored}")


@pytest.mark.parametrize(
    "syntax", ["", *(f"; transfer-syntax={uid}" for uid in sorted(UNCOMPRESSED_SYNTAXES))]
)
@pytest.mark.parametrize("stored", sorted(UNCOMPRESSED_SYNTAXES))
def test_uncompressed_frames_are_the_same_by_any_of_their_names(stored: str, syntax: str) -> None:
    accept = f'multipart/related; type="application/octet-stream"{syntax}'
    assert given_frame(accept, stored) == (True, f"application/octet-stream; transfer-syntax={EXPLICIT}")


@pytest.mark.parametrize(
    ("accept", "stored"),
    [
        ('multipart/related; type="application/octet-stream"', JPEG_2000),
        ('multipart/related; type="application/octet-stream"', BIG_ENDIAN),
        (f'multipart/related; type="application/octet-stream"; transfer-syntax={EXPLICIT}', JPEG_LOSSLESS),
        (f'multipart/related; type="image/jpeg"; transfer-syntax={JPEG}', JPEG_LOSSLESS),
        ('multipart/related; type="image/jp2"', EXPLICIT),
        ('multipart/related; type="image/*"', IMPLICIT),
        ('multipart/related; type="application/dicom"', EXPLICIT),
        ("image/png", EXPLICIT),
        ("*/*;q=0", EXPLICIT),
    ],
)
def test_frames_are_not_passed_off_as_what_they_are_not(accept: str, stored: str) -> None:
    with pytest.raises(NotAcceptable, match="application/octet-stream"):
        given_frame(accept, stored)


def test_one_frame_may_come_bare_and_several_only_in_parts() -> None:
    assert given_frame("application/octet-stream", EXPLICIT) == (
        False,
        f"application/octet-stream; transfer-syntax={EXPLICIT}",
    )
    assert given_frame("*/*", JPEG) == (True, f"image/jpeg; transfer-syntax={JPEG}")
    with pytest.raises(NotAcceptable):
        given_frame("application/octet-stream", EXPLICIT, one=False)


@pytest.mark.parametrize(
    ("accept", "multipart"),
    [
        ('multipart/related; type="application/dicom"', True),
        ('multipart/related; type="application/dicom"; transfer-syntax=*', True),
        (f'multipart/related;type="application/dicom";transfer-syntax={RLE}', True),
        ("application/dicom", False),
        ("application/dicom; transfer-syntax=*", False),
        ('application/dicom, multipart/related; type="application/dicom"; q=0.5', False),
        ("*/*", True),
        (None, True),
    ],
)
def test_instances_are_given_as_stored(accept: str | None, multipart: bool) -> None:
    chosen = select(acceptable(accept), instance_offers(RLE, one=True))
    assert (chosen.multipart, chosen.content_type) == (multipart, f"application/dicom; transfer-syntax={RLE}")


def test_an_instance_in_another_transfer_syntax_is_refused_with_the_stored_one() -> None:
    accept = f'multipart/related; type="application/dicom"; transfer-syntax={EXPLICIT}'
    with pytest.raises(NotAcceptable, match=rf"transfer-syntax={JPEG_LS}"):
        select(acceptable(accept), instance_offers(JPEG_LS, one=True))


def test_several_instances_come_only_in_parts() -> None:
    with pytest.raises(NotAcceptable, match="on offer: multipart/related"):
        select(acceptable("application/dicom"), instance_offers(RLE, one=False))


@pytest.mark.parametrize(
    ("accept", "stated", "multipart", "content_type"),
    [
        ("*/*", "application/pdf", False, "application/pdf"),
        (BROWSER, "application/pdf", False, "application/pdf"),
        ("application/octet-stream", "application/pdf", False, "application/octet-stream"),
        ("*/*", "text/html", False, "application/octet-stream"),
        ("*/*", "application/pdf\r\nX: y", False, "application/octet-stream"),
        (
            "multipart/related; type=application/octet-stream; transfer-syntax=*",
            "application/pdf",
            True,
            "application/octet-stream",
        ),
        ('multipart/related; type="*/*"', "", True, "application/octet-stream"),
    ],
)
def test_bulk_data_come_bare_unless_parts_are_asked(
    accept: str, stated: str, multipart: bool, content_type: str
) -> None:
    chosen = select(acceptable(accept), bulk_data_offers(stated))
    assert (chosen.multipart, chosen.content_type) == (multipart, content_type)


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("image/jpeg", "image/jpeg"),
        ("image/png, image/jpeg;q=0.5", "image/png"),
        ("image/*", "image/jpeg"),
        ("image/gif, image/png", "image/png"),
        ("*/*, image/png", "image/png"),
        ("image/jpeg;q=0, image/*", "image/png"),
        (BROWSER, "image/jpeg"),
    ],
)
def test_pictures_are_chosen_by_weight_then_precision_then_our_order(accept: str, media_type: str) -> None:
    chosen = select(acceptable(accept), rendered_offers(("image/jpeg", "image/png"), one=True))
    assert (chosen.multipart, chosen.content_type) == (False, media_type)


def test_a_browser_that_shows_a_document_gets_it() -> None:
    chosen = select(acceptable(BROWSER), rendered_offers(("application/pdf",), one=True))
    assert (chosen.multipart, chosen.content_type) == (False, "application/pdf")


def test_several_pictures_come_in_parts() -> None:
    offers = rendered_offers(("image/jpeg",), one=False)
    assert select(acceptable('multipart/related; type="image/jpeg"'), offers).multipart
    with pytest.raises(NotAcceptable):
        select(acceptable("image/jpeg"), offers)


@pytest.mark.parametrize(
    ("header", "query", "media_type"),
    [
        ("*/*", ["image/png"], "image/png"),
        ("image/png", ["image/jpeg"], "image/jpeg"),
        ("image/png", ["image/webp"], "image/png"),
        ("image/png", ["rubbish"], "image/png"),
        (None, ["image/png"], "image/png"),
        ("image/jpeg", ["image/gif", "image/png"], "image/png"),
    ],
)
def test_the_query_parameter_goes_before_the_header(
    header: str | None, query: list[str], media_type: str
) -> None:
    offers = rendered_offers(("image/jpeg", "image/png"), one=True)
    assert select(acceptable(header, query), offers).content_type == media_type


def test_a_plus_that_became_a_blank_in_the_query_is_put_back() -> None:
    chosen = select(acceptable("image/png", ["application/dicom json"]), DATA_SETS_OFFERS)
    assert chosen == DATA_SETS_OFFERS[0]
