"""Section 6: what can be set, from the table of settings and that of known systems."""

import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from diafana.conformance.markdown import paragraph, table
from diafana.conformance.sections import link
from diafana.conformance.template import Content
from diafana.peer_commands import peer_add
from diafana.permissions import told
from diafana.settings import MOST_WORKERS, Settings
from pacs.dimse.association import MESSAGE_TIME, REQUEST_TIME
from pacs.dimse.requestor import ANSWER_TIME, CONNECT_TIME, RESPONSE_TIME
from pacs.dimse.wire import LAST_WORDS, MAXIMUM_PDU, PDU_TIME
from pacs.model import Peer

# Where a setting is told of, if not among the general ones
_SECTIONS: Mapping[str, tuple[str, ...]] = {
    "6.2.2": ("mpps_forward",),
    "6.2.5": ("accept_unknown_sop_classes", "rest_seconds", "hide_rejected_for_quality"),
    "6.2.7": ("remote_over_http",),
    "6.3": ("http_port", "cors_origins", "peers_over_http"),
    "6.3.2.2": ("delete", "recycle_days"),
    "6.3.3": ("worklist_days", "worklist_fallback"),
    "6.3.6": (
        "fhir_push",
        "fhir_push_token",
        "fhir_push_dry_run",
        "fhir_subscription_endpoints",
    ),
}
_ELSEWHERE = frozenset(name for names in _SECTIONS.values() for name in names)

# Whose default depends on the machine
_OF_THE_MACHINE = {"workers": f"as many as it has processors, {MOST_WORKERS} at most"}


def _introduction() -> Iterator[str]:
    yield paragraph(
        "Settings are read once, at the start: from the command line, from `DIAFANA_*` in the environment "
        "(`DIAFANA_AET`), from the TOML file that `DIAFANA_CONFIG` names (`diafana.toml`), in this order. "
        "Known systems and rules of forwarding are changed by commands while the service runs. SERVICE: "
        "by who runs it. FIXED: not at all."
    )


def _general() -> Iterator[str]:
    yield from _settings(tuple(name for name in Settings.model_fields if name not in _ELSEWHERE))
    yield paragraph("Times and lengths:")
    yield from table(
        ("Parameter", "Configurable", "Value"),
        (
            ("Connection to a system that we call", "FIXED", f"{CONNECT_TIME:.0f} s"),
            ("Answer to our request for an association, or for its release", "FIXED", f"{ANSWER_TIME:.0f} s"),
            ("Response to a message of ours", "FIXED", f"{RESPONSE_TIME:.0f} s"),
            ("Association request of a peer (ARTIM)", "FIXED", f"{REQUEST_TIME:.0f} s"),
            ("Next part of a message", "FIXED", f"{MESSAGE_TIME:.0f} s"),
            ("A PDU, from its first byte to its last", "FIXED", f"{PDU_TIME:.0f} s"),
            ("Closing of the connection after A-ASSOCIATE-RJ or A-ABORT", "FIXED", f"{LAST_WORDS:.0f} s"),
            ("Maximum PDU length received", "FIXED", f"{MAXIMUM_PDU} bytes"),
        ),
    )
    yield paragraph(
        "Known systems (`diafana peer add`, `change`, `list`, `remove`, `echo`), each by its AE title:"
    )
    yield from table(
        ("Parameter", "Configurable", "Default Value", "Comments"),
        (
            (name.replace("_", " "), "SERVICE", _default(name, default), about)
            for name, default, about in _of_peers()
        ),
    )


def _of_peers() -> Iterator[tuple[str, Any, str]]:
    """Name, default and description of what is known of a system."""
    arguments = inspect.signature(peer_add).parameters
    for name in Peer._fields:
        argument = arguments["aet" if name == "ae_title" else name]
        about = argument.annotation.__metadata__[0].help
        yield name, Peer._field_defaults.get(name, ""), about


def _settings(names: tuple[str, ...]) -> Iterator[str]:
    fields = Settings.model_fields
    return table(
        ("Parameter", "Configurable", "Default Value", "Comments"),
        (
            (f"`{name}`", "SERVICE", _default(name, fields[name].default), fields[name].description or "")
            for name in names
        ),
    )


def _default(name: str, value: Any) -> str:
    """As it is written; empty for none."""
    if name in _OF_THE_MACHINE:
        return _OF_THE_MACHINE[name]
    match value:
        case bool():
            return str(value).lower()
        case frozenset():
            return told(value)
        case str() | int() | float() | Path():
            return str(value)
    return ""


def _of_section(number: str) -> Content:
    return lambda: _settings(_SECTIONS[number])


def _worklist() -> Iterator[str]:
    yield paragraph(f"As {link('6.1', 'general')}. Steps come by `hl7_port`, `diafana hl7` and over the web.")


def _commitment() -> Iterator[str]:
    yield paragraph(
        f"Which systems are asked to commit is said of them ({link('6.1', 'commits')}); who may ask us is "
        "who may store."
    )


SECTIONS: Mapping[str, Content] = {
    "6": _introduction,
    "6.1": _general,
    "6.2.1": _worklist,
    "6.2.6": _commitment,
    **{number: _of_section(number) for number in _SECTIONS},
}
