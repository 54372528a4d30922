"""Section 6: what can be set, from the table of settings and that of known systems."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import typer
from typer.core import TyperArgument, TyperGroup, TyperOption
from typer.main import get_command

from diafana.conformance.defaults import of_setting, written
from diafana.conformance.markdown import paragraph, table
from diafana.conformance.sections import link
from diafana.conformance.template import Content
from diafana.forward_commands import forward
from diafana.peer_commands import peer
from diafana.peer_routes import ROOT as PEERS
from diafana.remote_resource import LEVELS as REMOTE_LEVELS
from diafana.remote_resource import MOST_ANSWERS
from diafana.remote_resource import ROOT as REMOTE
from diafana.settings import Settings
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
    yield from table(("Parameter", "given as", "Configurable", "Default Value", "Comments"), _of_peers())


def _of_peers() -> Iterator[tuple[str, ...]]:
    """What is known of a system."""
    arguments = _arguments(peer, "add")
    for name in Peer._fields:
        given, about, _ = arguments["aet" if name == "ae_title" else name]
        yield f"`{name}`", given, "SERVICE", written(Peer._field_defaults.get(name)), about


def _of_rules() -> Iterator[tuple[str, ...]]:
    """What a rule of forwarding says."""
    for name, (given, about, default) in _arguments(forward, "add").items():
        if name != "data":
            yield given, "SERVICE", written(default), about


def _arguments(commands: typer.Typer, name: str) -> dict[str, tuple[str, str, Any]]:
    """Of a command, by their names: how each is given, what it means, its default."""
    group = cast(TyperGroup, get_command(commands))
    arguments = {}
    for one in group.commands[name].params:
        if isinstance(one, TyperOption | TyperArgument):
            as_option = "/".join((*one.opts, *one.secondary_opts))
            given = as_option if isinstance(one, TyperOption) else one.metavar or str(one.name).upper()
            arguments[str(one.name)] = f"`{given}`", one.help or "", one.default
    return arguments


def _settings(names: tuple[str, ...]) -> Iterator[str]:
    fields = Settings.model_fields
    return table(
        ("Parameter", "Configurable", "Default Value", "Comments"),
        ((f"`{name}`", "SERVICE", of_setting(name), fields[name].description or "") for name in names),
    )


def _of_section(number: str) -> Content:
    return lambda: _settings(_SECTIONS[number])


def _worklist() -> Iterator[str]:
    yield paragraph(f"As {link('6.1', 'general')}. Steps come by `hl7_port`, `diafana hl7` and over the web.")


def _availability() -> Iterator[str]:
    yield paragraph(
        f"Which systems are told is said of them ({link('6.1', '`--notify`')}); they are told once a study "
        f"has been at rest for the setting `rest_seconds` ({link('6.2.5', 'storage')})."
    )


def _storage() -> Iterator[str]:
    yield from _settings(_SECTIONS["6.2.5"])
    yield paragraph(
        "Rules by which objects are sent on (`diafana forward add`, `list`, `show`, `pause`, `resume`, "
        "`remove`), each by its name:"
    )
    yield from table(("Parameter", "Configurable", "Default Value", "Comments"), _of_rules())


def _commitment() -> Iterator[str]:
    yield paragraph(
        f"Which systems are asked to commit is said of them ({link('6.1', '`--commit`')}); who may ask us "
        "is who may store."
    )


def _remote() -> Iterator[str]:
    yield from _settings(_SECTIONS["6.2.7"])
    yield paragraph("Where the settings permit it, programs make us call others over HTTP, too:")
    yield from table(
        ("Setting", "request", "message", "to"),
        (
            (f"`{setting}`", f"`{method} {path}`", message, "the known system of the AE title")
            for setting, method, path, message in (
                ("peers_over_http", "POST", f"{PEERS}/{{aet}}/echo", "C-ECHO"),
                ("remote_over_http", "GET", f"{REMOTE}/{{aet}}/{{{'|'.join(REMOTE_LEVELS)}}}", "C-FIND"),
                ("remote_over_http", "POST", f"{REMOTE}/{{aet}}/retrieve", "C-FIND, C-GET or C-MOVE"),
            )
        ),
    )
    yield paragraph(
        f"Keys are query parameters, by keyword; {MOST_ANSWERS:,} answers are given at most. Known systems "
        f"are read and changed at `{PEERS}` and `{PEERS}/{{aet}}`."
    )


SECTIONS: Mapping[str, Content] = {
    "6": _introduction,
    "6.1": _general,
    "6.2.1": _worklist,
    **{number: _of_section(number) for number in _SECTIONS},
    "6.2.4": _availability,
    "6.2.5": _storage,
    "6.2.6": _commitment,
    "6.2.7": _remote,
}
