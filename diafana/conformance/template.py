"""The DICOM Conformance Statement Template (PS3.2 2024b, Annex N): its sections, filled in.

The sections and their titles are the template's. Those that apply to nothing here say so, as it wants.
"""

from collections.abc import Callable, Iterator, Mapping

from diafana.conformance.markdown import anchor
from diafana.conformance.sections import CONTENTS, TEMPLATE, heading

Content = Callable[[], Iterator[str]]

_LISTED = 3  # levels of sections that it lists

_NOT_APPLICABLE = "N/A"


def filled_in(contents: Mapping[str, Content]) -> Iterator[str]:
    """The lines of the statement.  contents: of sections, by their numbers. Those below may have it, too."""
    shown = list(_shown(contents))
    for number, text in shown:
        yield f"{'#' * (_level(number) + 1)} {text}\n"
        if number == CONTENTS:
            yield from _links(shown)
        elif number in contents:
            yield from contents[number]()
        elif text.endswith(_NOT_APPLICABLE):
            yield f"{_NOT_APPLICABLE}\n"


def _shown(contents: Mapping[str, Content]) -> Iterator[tuple[str, str]]:
    """Number and heading of each section; what is below one that applies to nothing is left out."""
    left_out = None
    for number, _ in TEMPLATE:
        if left_out is not None and number.startswith(f"{left_out}."):
            continue
        applies = number == CONTENTS or any(f"{one}.".startswith(f"{number}.") for one in contents)
        left_out = None if applies else number
        yield number, f"{heading(number)}{'' if applies else f' - {_NOT_APPLICABLE}'}"


def _level(number: str) -> int:
    """How deep a section lies. An annex is one level, though its number has two parts."""
    return number.count(".") + (0 if number.startswith("A.") else 1)


def _links(shown: list[tuple[str, str]]) -> Iterator[str]:
    """One for each section that is not too deep."""
    for number, text in shown:
        if _level(number) <= _LISTED:
            yield f"{'  ' * (_level(number) - 1)}- [{text}](#{anchor(text)})"
    yield ""
