"""A report as a whole, for people: the FHIR R4 DiagnosticReport of a document with findings or prose."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from html import escape
from typing import Any

from sr.codes import Code, Key
from sr.content_tree import Item, Number
from sr.identifiers import uid_identifier
from sr.participants import VERIFIER
from sr.primitives import compact, dated, is_uid, plain, stable_id, string
from sr.report_header import is_log
from sr.roles import NOT_FOUND_NOW, Role, parts_of
from sr.source_report import Report, order_references

MOST_PROSE = 200_000  # characters; no radiologist writes more

# PS3.16 TID 2000 and CID 7001: what a reader makes of it all
CONCLUSIONS: frozenset[Key] = frozenset(
    {
        ("DCM", "121072"),  # Impressions
        ("DCM", "121073"),  # Impression
        ("DCM", "121076"),  # Conclusions
        ("DCM", "121077"),  # Conclusion
        ("LN", "19005-8"),  # Impression of an imaging study
    }
)
# Marks of a program for a reader, who is the one to report
_MARKS = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.88.50",  # Mammography CAD SR
        "1.2.840.10008.5.1.4.1.1.88.65",  # Chest CAD SR
        "1.2.840.10008.5.1.4.1.1.88.69",  # Colon CAD SR
    }
)
_STATUS = {"preliminary": "preliminary", "final": "final", "amended": "amended"}
_CATEGORY = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/v2-0074",
            "code": "IMG",
            "display": "Diagnostic Imaging",
        }
    ]
}
# Members that it has as its Observations have them
_SHARED = ("meta", "subject", "encounter", "issued")
_HEADINGS = ("h3", "h4", "h5", "h6")


def diagnostic_report(
    report: Report, root: Item, performers: Sequence[dict[str, Any]], results: Sequence[str]
) -> dict[str, Any] | None:
    """The DiagnosticReport of a document; None for one without findings, and for what devices write.

    performers: references to who observed.  results: references of the outermost Observations.
    """
    has_prose = any(item.value_type == "TEXT" for item in _findings(root))
    header = report.header
    if header.sop_class_uid in _MARKS or is_log(header, root) or not (results or has_prose):
        return None
    said = [item for item in _findings(root, NOT_FOUND_NOW) if _concludes(item)]
    return compact(
        {
            "resourceType": "DiagnosticReport",
            "id": stable_id("report", header.sop_instance_uid),
            **{name: report.base[name] for name in _SHARED if name in report.base},
            "text": _narrative(root) if has_prose else {},
            "identifier": [uid_identifier(header.sop_instance_uid)]
            if is_uid(header.sop_instance_uid)
            else [],
            "basedOn": order_references(report.orders, header),
            "status": _status(report),
            "category": [_CATEGORY],
            "code": report.schemes.concept(root.concept),
            **dated("effectiveDateTime", header.content_time, header.zone),
            "performer": list(performers),
            "resultsInterpreter": report.references(VERIFIER),
            "result": [{"reference": reference} for reference in results],
            "imagingStudy": list(report.studies),
            "conclusion": string("\n".join(item.value for item in said if isinstance(item.value, str))),
            "conclusionCode": [
                report.schemes.concept(item.value) for item in said if isinstance(item.value, Code)
            ],
        }
    )


def _status(report: Report) -> str:
    if report.header.flags.get("CompletionFlag") == "PARTIAL":
        return "partial"
    return _STATUS.get(report.status, "unknown")


def _findings(item: Item, without: Collection[Key] = ()) -> Iterator[Item]:
    """All that is content, in the order of the document, but for what only modifies it.

    without: concepts of what is left out, with all below.
    """
    for child in parts_of(item)[Role.CONTENT]:
        if child.key not in without:
            yield child
            yield from _findings(child, without)


def _concludes(item: Item) -> bool:
    is_said = isinstance(item.value, Code) or (isinstance(item.value, str) and item.value_type == "TEXT")
    return is_said and item.key in CONCLUSIONS


def _narrative(root: Item) -> dict[str, str]:
    """The document in its own words and order, as XHTML (FHIR R4 2.4)."""
    pieces: list[str] = []
    length = 0
    for piece in _prose(root, 0):
        length += len(piece)
        if length > MOST_PROSE:
            pieces.append("<p>[...]</p>")
            break
        pieces.append(piece)
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{"".join(pieces)}</div>'
    return {"status": "generated", "div": div}


def _prose(item: Item, depth: int) -> Iterable[str]:
    for child in parts_of(item)[Role.CONTENT]:
        label = _written(child.concept.label if child.concept is not None else "")
        if child.value_type == "CONTAINER":
            heading = _HEADINGS[min(depth, len(_HEADINGS) - 1)]
            yield f"<{heading}>{label}</{heading}>" if label else ""
        elif said := _said(child):
            is_in_its_section = child.value_type == "TEXT" and depth > 0
            yield f"<p>{said}</p>" if is_in_its_section or not label else f"<p><b>{label}</b>: {said}</p>"
        yield from _prose(child, depth + 1)


def _said(item: Item) -> str:
    """A value as XHTML; empty when there is none to show."""
    value = item.value
    if isinstance(value, Number):
        number = " / ".join(plain(decimal) for decimal in value.decimals) or value.text
        return _written(f"{number} {value.unit.label if value.unit else ''}") if number else ""
    if isinstance(value, Code):
        return _written(value.label)
    return _written(value) if isinstance(value, str) and item.value_type == "TEXT" else ""


def _written(text: str) -> str:
    lines = [escape(string(line), quote=False) for line in text.splitlines()]
    return "<br/>".join(line for line in lines if line)
