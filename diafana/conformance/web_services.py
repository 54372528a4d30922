"""Section 5.3: the DICOM web services."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from pydicom.uid import UID

from diafana.conformance.markdown import listed, paragraph, size, table, yes
from diafana.conformance.names import path, tag
from diafana.conformance.offered import in_chapter, offered
from diafana.conformance.sections import link
from diafana.conformance.template import Content
from diafana.wiring import DICOMWEB_ROOT
from dicomweb.aside import METADATA_MEDIA_TYPES
from dicomweb.capabilities import WADL
from dicomweb.commitment import MOST_BYTES, MOST_INSTANCES
from dicomweb.data_set_body import MAX_BODY
from dicomweb.media_types import (
    BULK_DATA_MEDIA_TYPES,
    DICOM,
    NON_PATIENT_MEDIA_TYPES,
    OBJECT_MEDIA_TYPES,
    OCTET_STREAM,
)
from dicomweb.pictures import RENDERED_MEDIA_TYPES
from dicomweb.qido import MAX_READ, MAX_RESULTS
from dicomweb.status import COERCION_OF_ELEMENTS, ELEMENTS_DISCARDED
from dicomweb.syntaxes import COMPRESSED_MEDIA_TYPES
from dicomweb.transaction import Parameter, Transaction
from pacs.attributes import ATTRIBUTES
from pacs.index.commitments import KEPT as COMMITMENTS_KEPT
from pacs.index.outbox import KEPT as SENDINGS_KEPT
from pacs.index.subscriptions import MAX_REPORTS
from pacs.non_patient import CATEGORIES
from pacs.pixels.pictures import TRANSFORMED
from pacs.procedure_steps.performed_attributes import KEYS as PERFORMED_KEYS
from pacs.procedure_steps.scheduled_attributes import KEYS as SCHEDULED
from pacs.worklist.attributes import KEYS, TABLE

_DAY = 86_400.0  # seconds
_STEP = "procedure-step"  # in the paths of what is ours about steps


# Named by keys of a search, of which there are tables
_KEYS = frozenset(
    path(key)
    for rows in (ATTRIBUTES, KEYS, PERFORMED_KEYS, SCHEDULED, *(one.rows for one in CATEGORIES))
    for key in rows
)


def _parameters(rows: list[Transaction]) -> Iterator[str]:
    """Query parameters, and whose they are where not all have them; keys of searches are named together."""
    takers: dict[Parameter, list[str]] = {}
    for t in rows:
        for parameter in t.parameters:
            takers.setdefault(parameter, []).append(t.name)
    told = [
        (f"`{p.name}`", p.meaning, p.example and f"`{p.example}`", yes(p.required), _takers(names, rows))
        for p, names in takers.items()
        if p.name not in _KEYS
    ]
    with_keys = [t.name for t in rows if any(p.name in _KEYS for p in t.parameters)]
    if with_keys:
        told.append(("keys", "What is searched for, by keyword or tag", "", "N", _takers(with_keys, rows)))
    if told:
        yield from table(("query parameter", "meaning", "example", "required", "of"), told)


def _takers(names: list[str], rows: list[Transaction]) -> str:
    return "all" if len(names) == len(rows) else listed(dict.fromkeys(names))


def _media_types(media_types: Iterable[str]) -> str:
    return listed(f"`{one}`" for one in media_types)


def _given(media_types: Iterable[str]) -> Content:
    def content() -> Iterator[str]:
        yield _media_types(media_types) + "\n"

    return content


def _in(section: str, about: Callable[[], Iterator[str]] | None = None) -> Content:
    """The transactions of a section of PS3.18, and more about them."""

    def content() -> Iterator[str]:
        yield from _transactions(in_chapter(section))
        if about is not None:
            yield from about()

    return content


def _transactions(rows: list[Transaction]) -> Iterator[str]:
    """What they give and take, those together that give and take the same; and their parameters."""
    same: dict[tuple[str, str], list[str]] = {}
    for t in rows:
        same.setdefault((_media_types(t.answers) or "-", _media_types(t.takes) or "-"), []).append(t.name)
    yield from table(
        ("Transactions", "answers", "bodies"),
        ((listed(dict.fromkeys(names)), answers, takes) for (answers, takes), names in same.items()),
    )
    yield from _parameters(rows)


def _uri_object() -> Iterator[str]:
    yield paragraph(
        f"`GET {offered().uri.template}`, with `contentType={DICOM}`. `anonymize=yes` gives it without the "
        f"patient ({link('A.C.2.6', 'details')})."
    )
    yield from _transactions([offered().uri])


def _uri_picture() -> Iterator[str]:
    yield paragraph(
        f"The same resource and parameters ({link('5.3.1.2.2', 'above')}), with a rendered media type, or "
        "none."
    )


def _stored_as() -> Iterator[str]:
    yield paragraph(f"{_media_types(OBJECT_MEDIA_TYPES)}")
    yield paragraph(
        f"In the stored transfer syntax, and in those that {link('1.1', 'the table')} has as given:"
    )
    yield from table(
        ("`transfer-syntax`", "objects", "frames and pixel data"),
        (
            ("none, of any media type (`*/*`)", "as stored", "as stored"),
            (
                f"none, of `{OCTET_STREAM}`",
                "-",
                "uncompressed; as stored where they exist with loss only",
            ),
            (
                "none, of a media type such as `image/jls`",
                "-",
                "as stored where they are of that; else in its lossless transfer syntax",
            ),
            ("`*`, or the stored one", "as stored", "as stored"),
            (
                "another",
                "in that, if nothing is lost; else refused (406), and of several left out (206)",
                "in that where they can be made so; else refused (406)",
            ),
        ),
    )


def _retrieving() -> Iterator[str]:
    yield paragraph(
        "A conditional request (If-None-Match) is answered 304 where nothing has changed; Range fields "
        "are heeded where the length is known. Several things, such as the pictures of a series, come in "
        "parts only; one thing also bare."
    )


def _storing() -> Iterator[str]:
    yield paragraph(
        f"Parts: {_media_types(sorted({DICOM} | METADATA_MEDIA_TYPES))}; one of these may be all of a "
        "body. Bulk data are of any media type. Pixel data are kept in the transfer syntax of theirs:"
    )
    kept = sorted({(f"`{media_type}`", UID(uid).name) for uid, media_type in COMPRESSED_MEDIA_TYPES.items()})
    decoded = [(f"`{one}`", "decoded: Explicit VR Little Endian") for one in sorted(TRANSFORMED)]
    yield from table(("media type", "transfer syntax"), [*kept, *decoded])
    yield paragraph(
        f"Warning Reason (0008,1196) {ELEMENTS_DISCARDED:04X}: metadata held what stands in no data set; "
        f"{COERCION_OF_ELEMENTS:04X}: the same is kept already, coerced when a known system sent it. What is "
        f"done with an object is as over {link('5.2.5.2', 'C-STORE')}; nothing is coerced. Failure Reasons: "
        f"{link('7.3.3.3.3', 'table')}."
    )


def _searching() -> Iterator[str]:
    yield paragraph(
        f"Keys are {link('5.2.7.5', 'those of C-FIND')}. By default an answer has what that table marks of "
        "the level, and of those above it that the path leaves open, with the UIDs of the path and Retrieve "
        "URL; all else is answered where `includefield` names it."
    )
    yield paragraph(
        f"A search of the whole archive gives {MAX_RESULTS:,} answers at most, and says where there are "
        "more. What `includefield` names and the index does not keep is read from the objects, for "
        f"{MAX_READ:,} answers at most."
    )


def _creating() -> Iterator[str]:
    yield paragraph(
        f"A body has {size(MAX_BODY)} at most. The archive manages the worklist and performs nothing on "
        "it. A Worklist Label that is left empty becomes our AE title. Requirements of all transactions "
        "on work items:"
    )
    yield from table(
        ("Attribute", "Tag", "N-CREATE", "N-SET", "final state", "returned"),
        ((path(row), tag(row), row.create, row.change, row.final, row.returned or "-") for row in TABLE),
    )


def _searching_items() -> Iterator[str]:
    yield from table(
        ("Attribute", "Tag", "VR", "matching"),
        ((path(key), tag(key), key.vr, key.matching.value) for key in KEYS),
    )


def _subscribing() -> Iterator[str]:
    yield paragraph(
        "Subscriptions are never refused; deletion locks are always granted, and never removed by us. A "
        "filter is applied when a work item is made. There is one subscription to the worklist, filtered "
        f"or not, for each subscriber. What waits for one who is away is kept, {MAX_REPORTS:,} event "
        "reports at most."
    )


def _non_patient() -> Iterator[str]:
    yield paragraph(
        "Of these classes, however an instance came, it is in no study. Protocol Approval Storage is in "
        "no category, and is not taken."
    )
    yield from table(
        ("category", "SOP Class", "UID"),
        ((one.npi_name, UID(uid).name, uid) for one in CATEGORIES for uid in sorted(one.sop_classes)),
    )


def _searching_non_patient() -> Iterator[str]:
    yield from table(
        ("category", "Attribute", "Tag", "VR", "matching", "return key type"),
        (
            (one.npi_name, path(row), tag(row), row.vr, row.matching.value, row.returned)
            for one in CATEGORIES
            for row in one.rows
        ),
    )


def _notifying() -> Iterator[str]:
    yield paragraph(
        f"`GET {DICOMWEB_ROOT}/subscribers/{{aetitle}}` opens the event channel of a subscriber, a "
        "WebSocket (PS3.18 8.10). Who is connected when the service goes down is told so; that it was "
        "restarted is told to every subscriber and to the AE titles of the setting `worklist_fallback`, "
        "as a cold start where the index was made anew without the worklist. Pages of other hosts are "
        "refused."
    )


def _committing() -> Iterator[str]:
    yield paragraph(
        f"A request names {MOST_INSTANCES:,} instances in {size(MOST_BYTES)} at most. It waits until each "
        f"was read back and compared. Failure Reasons are {link('5.2.6.2', 'those of the DIMSE service')}."
    )


def _committed() -> Iterator[str]:
    yield paragraph(f"Answers are kept for {COMMITMENTS_KEPT / _DAY:.0f} days.")


def _steps() -> Iterator[str]:
    yield from _transactions(in_chapter("14", "15"))
    yield from _transactions([t for t in in_chapter("-") if _STEP in t.path])
    yield paragraph(
        f"Keys and attributes of scheduled steps are {link('5.2.1.2', 'those of the worklist')}, "
        f"requirements of performed ones {link('5.2.2.2', 'those of MPPS')}. Whoever makes a scheduled "
        "step gives what is of return key type 1 or, where its condition is met, 1C, but for study, "
        "requested procedure and step ID, which are made where they are absent. Performed steps are found "
        "by:"
    )
    yield from table(
        ("Attribute", "Tag", "VR", "matching"),
        ((path(key), tag(key), key.vr, key.matching.value) for key in PERFORMED_KEYS),
    )


def _sending() -> Iterator[str]:
    yield from _transactions(in_chapter("Sup 248"))
    yield from _transactions([t for t in in_chapter("-") if _STEP not in t.path])
    yield paragraph(
        "What a search with the same keys would find is sent to the known system of the parameter "
        f"`destination`. Results are kept for {SENDINGS_KEPT / _DAY:.0f} days. What was deleted can be "
        "restored for a time (setting `recycle_days`)."
    )


def _capabilities() -> Iterator[str]:
    yield paragraph(
        f"`OPTIONS` of `{DICOMWEB_ROOT}` or of a resource tells programs the same as these tables (PS3.18 "
        f"8.9), as `{WADL}` or in JSON, and so does `/openapi.json`."
    )


SECTIONS: Mapping[str, Content] = {
    "5.3.1.1.1": _given([DICOM]),
    "5.3.1.1.2": _given(RENDERED_MEDIA_TYPES),
    "5.3.1.2.2": _uri_object,
    "5.3.1.3.2": _uri_picture,
    "5.3.2.1.1": _stored_as,
    "5.3.2.1.2": _given(BULK_DATA_MEDIA_TYPES),
    "5.3.2.1.3": _given(RENDERED_MEDIA_TYPES),
    "5.3.2.2.2": _in("10.4", _retrieving),
    "5.3.2.3.2": _in("10.5", _storing),
    "5.3.2.4.2": _in("10.6", _searching),
    "5.3.3.1.2": _in("11.4", _creating),
    "5.3.3.2.2": _in("11.5"),
    "5.3.3.3.2": _in("11.6"),
    "5.3.3.4.2": _in("11.7"),
    "5.3.3.5.2": _in("11.8"),
    "5.3.3.6.2": _in("11.9", _searching_items),
    "5.3.3.7.2": _in("11.10", _subscribing),
    "5.3.3.8.2": _in("11.11"),
    "5.3.3.9.2": _in("11.12"),
    "5.3.4": _non_patient,
    "5.3.4.1": _given(NON_PATIENT_MEDIA_TYPES),
    "5.3.4.2.2": _in("12.4"),
    "5.3.4.3.2": _in("12.5"),
    "5.3.4.4.2": _in("12.6", _searching_non_patient),
    "5.3.5": _notifying,
    "5.3.6.1.2": _in("13.4", _committing),
    "5.3.6.2.2": _in("13.5", _committed),
    "5.3.7": _steps,
    "5.3.8": _sending,
    "5.3.9": _capabilities,
}
