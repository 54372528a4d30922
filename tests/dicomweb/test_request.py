import pytest
from starlette.requests import Request

from dicomweb.request import (
    accepts_gzip,
    check_uid,
    header,
    named_parameters,
    parameters,
    service_url,
    study_and_series,
    uids,
)
from pacs.errors import InvalidIdentifier, InvalidQuery


def request(query: str = "", path: dict[str, str] | None = None, **headers: str) -> Request:
    return Request(
        {
            "type": "http",
            "scheme": "https",
            "server": ("10.0.0.1", 8080),
            "root_path": "/proxy",
            "query_string": query.encode(),
            "path_params": path or {},
            "headers": [(k.replace("_", "-").encode(), v.encode("latin-1")) for k, v in headers.items()],
        }
    )


def test_uids_come_from_the_outermost_inwards() -> None:
    path = {"instance": "1.3", "study": "1.1", "series": "1.2", "frames": "1"}
    assert uids(request(path=path)) == ("1.1", "1.2", "1.3")
    assert uids(request()) == ()
    assert study_and_series(request(path={"study": "1.1"})) == ("1.1", None)
    assert study_and_series(request(path={"study": "1.1", "series": "1.2"})) == ("1.1", "1.2")


@pytest.mark.parametrize("text", ["", "x", "1.2/3", "1.2\n", "1" * 65, "..%2f", "1.2 "])
def test_what_is_no_uid_is_named(text: str) -> None:
    with pytest.raises(InvalidIdentifier, match="series") as caught:
        check_uid(text, "series", 0x0020000E)
    assert caught.value.tag == 0x0020000E


def test_parameters_are_decoded_in_their_order() -> None:
    query = "a=1%2C2&b=&a=x+y&%C3%A8=%C3%A9"
    assert parameters(request(query)) == [("a", "1,2"), ("b", ""), ("a", "x y"), ("è", "é")]
    assert named_parameters(request(query))["a"] == "1,2"
    assert parameters(request()) == []


def test_a_flood_of_parameters_is_refused() -> None:
    with pytest.raises(InvalidQuery, match="parameters"):
        parameters(request("&".join(["a=1"] * 1001)))


def test_repeated_header_fields_are_joined() -> None:
    asked = request()
    asked.scope["headers"] = [(b"accept", b"a/b"), (b"x", b"y"), (b"accept", b"c/d")]
    assert header(asked, b"accept") == "a/b,c/d"
    assert header(asked, b"range") == ""


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("gzip", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("*", True),
        ("x-gzip", True),
        ("br", False),
        ("", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("identity", False),
    ],
)
def test_gzip_is_given_to_who_takes_it(text: str, accepted: bool) -> None:
    assert accepts_gzip(request(accept_encoding=text)) is accepted


def test_the_url_is_that_of_the_host_that_was_asked() -> None:
    assert service_url(request(host="pacs:444"), "/dicom-web") == "https://pacs:444/proxy/dicom-web"
    assert service_url(request(), "/dicom-web") == "https://10.0.0.1:8080/proxy/dicom-web"
