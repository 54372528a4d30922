"""Words upon a picture: whose it is, and how it was made (PS3.18 8.3.5.1.1)."""

from collections.abc import Callable, Iterable
from importlib.resources import files
from typing import Literal

from PIL import Image, ImageDraw, ImageFont
from pydicom import Dataset

from pacs.pixels.elements import number, value

Term = Literal["patient", "technique"]

# Latin, Greek and Cyrillic; other letters are boxes
_FONT = str(files("ttf_opensans") / "ttf" / "OpenSans-Regular.ttf")

_LINES_ON_A_PICTURE = 36  # as high as letters are, so that they are read at any size
_SMALLEST = 9  # pixels
_LONGEST = 64  # characters of a line
_MARGIN = 4  # pixels
_LEFT = (_MARGIN, "la", "left")

# The attributes of each line, with what is written around each
_PATIENT = (
    (("PatientName", "{}"),),
    (("PatientID", "ID {}"),),
    (("PatientBirthDate", "* {}"), ("PatientSex", "{}")),
)
_TECHNIQUE = (
    (("StudyDate", "{}"), ("Modality", "{}")),
    (("SeriesDescription", "{}"),),
    (("KVP", "{} kV"), ("XRayTubeCurrent", "{} mA"), ("Exposure", "{} mAs")),
    (("RepetitionTime", "TR {} ms"), ("EchoTime", "TE {} ms")),
    (("SliceThickness", "{} mm"), ("SliceLocation", "@ {} mm")),
)


def annotate(image: Image.Image, header: Dataset, terms: Iterable[Term]) -> Image.Image:
    """The picture with the patient in its upper left corner, and the technique in its upper right."""
    font = ImageFont.truetype(_FONT, max(_SMALLEST, image.height / _LINES_ON_A_PICTURE))
    draw = ImageDraw.Draw(image)
    white, black = ((255,) * 3, (0,) * 3) if image.mode == "RGB" else (255, 0)
    for term in terms:
        lines = _lines(header, _PATIENT if term == "patient" else _TECHNIQUE)
        at, anchor, align = _LEFT if term == "patient" else (image.width - _MARGIN, "ra", "right")
        said = "\n".join(lines)
        draw.multiline_text(
            (at, _MARGIN), said, white, font, anchor, 4, align, stroke_width=1, stroke_fill=black
        )
    return image


def _lines(header: Dataset, table: Iterable[Iterable[tuple[str, str]]]) -> list[str]:
    lines = []
    for row in table:
        said = ((form, _FORMS.get(keyword, _plain)(header, keyword)) for keyword, form in row)
        line = "  ".join(form.format(words) for form, words in said if words)
        lines += [line[:_LONGEST]] if line else []
    return lines


def _plain(header: Dataset, keyword: str) -> str:
    return str(value(header, keyword) or "").strip()


def _name(header: Dataset, keyword: str) -> str:
    """The family name first; of the alphabetic group, or of the first that there is."""
    groups = [group for group in _plain(header, keyword).split("=") if group.strip("^ ")]
    family, _, given = (groups[0] if groups else "").partition("^")
    return ", ".join(part for part in (family.strip(), " ".join(given.split("^")).strip()) if part)


def _date(header: Dataset, keyword: str) -> str:
    said = _plain(header, keyword)
    return f"{said[:4]}-{said[4:6]}-{said[6:]}" if len(said) == 8 and said.isdigit() else said


def _number(header: Dataset, keyword: str) -> str:
    found = number(header, keyword)
    return "" if found is None else f"{found:.4g}"


_FORMS: dict[str, Callable[[Dataset, str], str]] = {
    "PatientName": _name,
    "PatientBirthDate": _date,
    "StudyDate": _date,
    **dict.fromkeys(
        (
            "KVP",
            "XRayTubeCurrent",
            "Exposure",
            "RepetitionTime",
            "EchoTime",
            "SliceThickness",
            "SliceLocation",
        ),
        _number,
    ),
}
