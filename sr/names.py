"""Person names (PS3.5 6.2.1) as FHIR HumanNames and as text."""

from typing import Any

from sr.primitives import compact, string

REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"

# PS3.18 F.2.2 component groups, as the extension's codes
_REPRESENTATIONS = {"Alphabetic": "ABC", "Ideographic": "IDE", "Phonetic": "SYL"}


def readable_name(text: str) -> str:
    """A PN value as a person writes it: "Doe^John^^Dr." becomes "Dr. John Doe".

    The first of its groups that has a name counts.
    """
    group = next((group for group in text.split("=") if _is_name(group)), "")
    family, given, middle, prefix, suffix = _components(group)
    return " ".join(part for part in (prefix, given, middle, family, suffix) if part)


def component_groups(text: str) -> dict[str, str]:
    """The component groups of a PN value, named as in DICOM JSON."""
    return dict(zip(_REPRESENTATIONS, text.split("="), strict=False))


def human_names(groups: dict[str, Any]) -> list[dict[str, Any]]:
    """The component groups of one name in DICOM JSON as HumanNames, one for each group."""
    names = []
    for group, representation in _REPRESENTATIONS.items():
        text = groups.get(group)
        if not isinstance(text, str) or not _is_name(text):
            continue
        name = _human_name(text)
        if group != "Alphabetic":
            name["extension"] = [{"url": REPRESENTATION, "valueCode": representation}]
        names.append(name)
    return names


def _human_name(text: str) -> dict[str, Any]:
    family, given, middle, prefix, suffix = _components(text)
    return compact(
        {
            "text": readable_name(text),
            "family": family,
            "given": [part for part in (given, middle) if part],
            "prefix": [prefix] if prefix else [],
            "suffix": [suffix] if suffix else [],
        }
    )


def _is_name(group: str) -> bool:
    return bool(string(group.replace("^", "")))


def _components(group: str) -> list[str]:
    parts = [string(part) for part in group.split("^", 4)]
    return parts + [""] * (5 - len(parts))
