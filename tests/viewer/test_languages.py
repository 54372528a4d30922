"""The dictionaries of the page: the same texts in every language, none missing, none left over."""

import json
import re

import pytest

from viewer.page import STATIC

LANGUAGES = sorted(path.stem for path in (STATIC / "lang").glob("*.json"))
ENGLISH: dict[str, str] = json.loads((STATIC / "lang" / "en.json").read_text())

# Keys put together from a part and a value: the texts that there are for them are all in use.
OPEN_KEYS = ("modality.", "status.", "sex.", "language.", "search.", "window.")


def dictionary(language: str) -> dict[str, str]:
    texts: dict[str, str] = json.loads((STATIC / "lang" / f"{language}.json").read_text())
    return texts


def used_keys() -> set[str]:
    """Whatever stands in quotes in the scripts and looks like a key."""
    scripts = "\n".join(path.read_text() for path in STATIC.rglob("*.js"))
    return set(re.findall(r"[\"'`]([a-z]+\.[A-Za-z.-]+)[\"'`]", scripts))


def test_the_languages_are_those_the_page_offers() -> None:
    offered = re.search(r"LANGUAGES = \[(.*?)\]", (STATIC / "i18n.js").read_text())
    assert offered is not None
    assert sorted(re.findall(r'"(\w+)"', offered[1])) == LANGUAGES == ["en", "it"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_keys(language: str) -> None:
    assert list(dictionary(language)) == list(ENGLISH)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_says_something_and_has_the_same_places(language: str) -> None:
    places = {
        key: (sorted(re.findall(r"\{\w+\}", text)), bool(text.strip()))
        for key, text in dictionary(language).items()
    }
    assert places == {key: (sorted(re.findall(r"\{\w+\}", text)), True) for key, text in ENGLISH.items()}


def test_every_counted_text_has_both_forms() -> None:
    stems = {
        key.removesuffix(".one").removesuffix(".other") for key in ENGLISH if key.endswith((".one", ".other"))
    }
    assert stems
    assert {f"{stem}.{form}" for stem in stems for form in ("one", "other")} <= set(ENGLISH)


def test_every_key_that_the_scripts_use_has_a_text() -> None:
    roots = {key.split(".")[0] for key in ENGLISH}
    keys = {key for key in used_keys() if key.split(".")[0] in roots and not key.endswith((".js", ".json"))}
    missing = [key for key in keys if key not in ENGLISH and f"{key}.other" not in ENGLISH]
    assert keys
    assert sorted(missing) == []


def test_no_text_is_left_over() -> None:
    used = used_keys()
    left = [
        key
        for key in ENGLISH
        if not key.startswith(OPEN_KEYS)
        and key not in used
        and re.sub(r"\.(one|other)$", "", key) not in used
    ]
    assert left == []
