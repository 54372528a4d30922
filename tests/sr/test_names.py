import pytest

from sr.names import REPRESENTATION, component_groups, human_names, readable_name


@pytest.mark.parametrize(
    ("text", "readable"),
    [
        ("Doe^John^Robert^Dr.^Jr.", "Dr. John Robert Doe Jr."),
        ("Doe", "Doe"),
        ("Yamada^Tarou=山田^太郎", "Tarou Yamada"),
        ("=山田^太郎=やまだ^たろう", "太郎 山田"),
        ("^^=^=", ""),
        ("^^^^", ""),
        ("", ""),
        ("a^b^c^d^e^f", "d b c a e^f"),
    ],
)
def test_readable_names(text: str, readable: str) -> None:
    assert readable_name(text) == readable


def test_a_name_has_its_parts() -> None:
    assert human_names({"Alphabetic": "Doe^John^Robert^Dr.^Jr."}) == [
        {
            "text": "Dr. John Robert Doe Jr.",
            "family": "Doe",
            "given": ["John", "Robert"],
            "prefix": ["Dr."],
            "suffix": ["Jr."],
        }
    ]


def test_each_group_is_a_name_with_its_representation() -> None:
    names = human_names(
        {"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎", "Phonetic": "やまだ^たろう"}
    )
    assert [name["family"] for name in names] == ["Yamada", "山田", "やまだ"]
    assert [name.get("extension") for name in names] == [
        None,
        [{"url": REPRESENTATION, "valueCode": "IDE"}],
        [{"url": REPRESENTATION, "valueCode": "SYL"}],
    ]


@pytest.mark.parametrize("groups", [{}, {"Alphabetic": ""}, {"Alphabetic": "^^"}, {"Alphabetic": None}])
def test_an_empty_name_is_none(groups: dict[str, object]) -> None:
    assert human_names(groups) == []


def test_the_groups_of_a_name_are_named() -> None:
    assert component_groups("Yamada^Tarou=山田^太郎=") == {
        "Alphabetic": "Yamada^Tarou",
        "Ideographic": "山田^太郎",
        "Phonetic": "",
    }
    assert component_groups("Doe") == {"Alphabetic": "Doe"}
    assert len(component_groups("=" * 10)) == 3
