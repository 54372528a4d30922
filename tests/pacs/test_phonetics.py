import pytest

from pacs.phonetics import codes, sound


@pytest.mark.parametrize(
    ("one", "other"),
    [("giuseppe", "juseppe"), ("meier", "mayer"), ("rossi", "rosi"), ("o'brien", "obrien"), ("太郎", "太郎")],
)
def test_words_that_sound_alike_share_a_code(one: str, other: str) -> None:
    assert set(codes(one)) & set(codes(other))


@pytest.mark.parametrize(("one", "other"), [("rossi", "bianchi"), ("anna", "maria"), ("太郎", "次郎")])
def test_words_that_sound_otherwise_share_none(one: str, other: str) -> None:
    assert not set(codes(one)) & set(codes(other))


def test_words_without_letters_have_no_sound() -> None:
    assert codes("-") == codes("12") == codes("") == ()
    assert sound("") == "  "


def test_the_sound_of_a_name_is_that_of_all_its_words() -> None:
    whole = sound("yamada tarou=山田 太郎")
    for word in ("yamada", "tarou", "山田", "太郎"):
        assert all(f" {code} " in whole for code in codes(word))
