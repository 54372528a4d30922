"""Tables and links in Markdown."""

import re
from collections.abc import Iterable, Iterator
from textwrap import wrap

_WIDTH = 110  # of lines of prose
_NOT_IN_ANCHOR = re.compile(r"[^\w\- ]")


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """The lines of a table, and an empty one. Where there is no row, that is said instead."""
    lines = [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    if lines:
        yield f"| {' | '.join(head)} |"
        yield f"|{'---|' * len(head)}"
        yield from lines
    else:
        yield "None."
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def anchor(heading: str) -> str:
    """What a heading is linked to by, as GitHub makes it."""
    return _NOT_IN_ANCHOR.sub("", heading.lower()).replace(" ", "-")


def yes(is_so: bool) -> str:
    """Y or N, as the template has it."""
    return "Y" if is_so else "N"


def listed(values: Iterable[object]) -> str:
    """Several values in a cell, parted by semicolons as the template has it."""
    return "; ".join(map(str, values))


def paragraph(text: str) -> str:
    """A paragraph, and an empty line."""
    return "\n".join(wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)) + "\n"


def size(number: int) -> str:
    """A number of bytes, in the largest unit of which it is a whole number."""
    for shift, unit in ((20, "MB"), (10, "KB")):
        if number and not number % (1 << shift):
            return f"{number >> shift} {unit}"
    return f"{number} bytes"
