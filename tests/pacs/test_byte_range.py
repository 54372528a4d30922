import pytest

from pacs.byte_range import ByteRange, NotSatisfiable, parse_range


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("bytes=0-9", 0, 9),
        ("bytes=5-", 5, 99),
        ("bytes=-10", 90, 99),
        ("bytes=-1000", 0, 99),
        ("bytes=50-5000", 50, 99),
        (" bytes=99-99 ", 99, 99),
    ],
)
def test_a_range_is_cut_to_the_body(text: str, first: int, last: int) -> None:
    assert parse_range(text, 100) == ByteRange(first, last)


@pytest.mark.parametrize(
    "text", ["", "bytes=-", "bytes=9-5", "bytes=0-1,5-6", "items=0-1", "bytes=a-b", "bytes"]
)
def test_other_ranges_mean_the_whole(text: str) -> None:
    assert parse_range(text, 100) is None


@pytest.mark.parametrize("text", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_behind_the_end_cannot_be_given(text: str) -> None:
    with pytest.raises(NotSatisfiable, match="100 bytes"):
        parse_range(text, 100)


def test_nothing_of_an_empty_body_can_be_given() -> None:
    with pytest.raises(NotSatisfiable):
        parse_range("bytes=0-", 0)
