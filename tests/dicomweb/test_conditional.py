import pytest
from starlette.requests import Request

from dicomweb.conditional import entity_tag, not_modified
from dicomweb.media_types import Representation

BARE, PARTS = Representation("image/jpeg"), Representation("image/jpeg", multipart=True)


def request(held: str | None) -> Request:
    headers = [] if held is None else [(b"if-none-match", held.encode())]
    return Request({"type": "http", "headers": headers})


def test_tags_tell_contents_and_forms_apart() -> None:
    tags = {
        entity_tag(BARE, "digest", 1),
        entity_tag(BARE, "digest", 2),
        entity_tag(PARTS, "digest", 1),
        entity_tag(Representation("image/png"), "digest", 1),
    }
    assert len(tags) == 4
    assert entity_tag(BARE, "digest", 1) == entity_tag(BARE, "digest", 1)


def test_bodies_with_a_boundary_have_weak_tags() -> None:
    assert entity_tag(PARTS, "digest").startswith('W/"')
    assert entity_tag(BARE, "digest").startswith('"')


@pytest.mark.parametrize("held", ['"a"', 'W/"a"', '"b", W/"a"', "*", '"a" , "b"'])
def test_what_is_held_is_not_sent(held: str) -> None:
    for tag in ('"a"', 'W/"a"'):
        response = not_modified(request(held), tag)
        assert response is not None
        assert (response.status_code, response.headers["etag"]) == (304, tag)


@pytest.mark.parametrize("held", [None, "", '"b"', "a"])
def test_what_is_not_held_is_sent(held: str | None) -> None:
    assert not_modified(request(held), '"a"') is None
