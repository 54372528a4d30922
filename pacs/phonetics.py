"""How names sound, for fuzzy semantic matching of person names (PS3.4 C.2.2.2.1.1)."""

import re

from jellyfish import metaphone, soundex

_NOT_LETTERS = re.compile("[^a-z]")


def codes(word: str) -> tuple[str, ...]:
    """What stands for the sound of a word of a folded name: two words sound alike that share one of these.

    Metaphone takes Giuseppe for Juseppe, and Soundex Meier for Mayer; neither does both. Both are made for
    Latin letters: other words stand for themselves.
    """
    if not word.isascii():
        return (word,)
    letters = _NOT_LETTERS.sub("", word)
    return (f"m{metaphone(letters)}", f"s{soundex(letters)}") if letters else ()


def sound(name: str) -> str:
    """The codes of all words of a folded name, a blank before and behind each."""
    words = name.replace("=", " ").split()
    return f" {' '.join(dict.fromkeys(code for word in words for code in codes(word)))} "
