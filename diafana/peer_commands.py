"""`diafana peer`: the systems that are known, by their AE titles."""

from typing import Annotated, Any

import typer

from diafana.console import Data, fail, no_peer, open_parts, out
from diafana.permissions import EVERYBODY_MAY

peer = typer.Typer(
    no_args_is_help=True,
    help="The systems that are known, by their AE titles: where they are, what they may.",
)

AeTitleArgument = Annotated[str, typer.Argument(help="Its AE title.")]
Tls = Annotated[bool | None, typer.Option("--tls/--no-tls", help="Whether it is called by TLS.")]
May = Annotated[
    str | None,
    typer.Option(help=f"What it may ask of us: {EVERYBODY_MAY}; some of these, or nothing. [default: all]"),
]
MoveTo = Annotated[
    str | None,
    typer.Option(
        help="AE titles that it may have things sent to, parted by commas; empty for all that are known."
    ),
]
Syntaxes = Annotated[
    str | None,
    typer.Option(
        help="Transfer syntaxes that are preferred with it, the best first, by UID or keyword, "
        "parted by commas; empty for none."
    ),
]
CharacterSet = Annotated[
    str | None,
    typer.Option(help="Specific Character Set that is put into its objects where they state none; or empty."),
]
PatientIssuer = Annotated[
    str | None, typer.Option(help="Issuer of Patient ID that is put in where none is stated; or empty.")
]
AccessionIssuer = Annotated[
    str | None,
    typer.Option(help="Issuer of Accession Number that is put in where none is stated; or empty."),
]
PatientFromWorklist = Annotated[
    bool | None,
    typer.Option(
        "--patient-from-worklist/--no-patient-from-worklist",
        help="Whether the patient of the worklist item of its study is put into its objects.",
    ),
]
OfDuplicates = Annotated[
    str | None,
    typer.Option(
        "--duplicates",
        help="What becomes of objects that it sends in other content than they are here: set aside; "
        "keep, the same but told as a warning; or replace. [default: set aside]",
    ),
]

Commits = Annotated[
    bool | None,
    typer.Option(
        "--commit/--no-commit",
        help="Whether it is asked to commit to what is sent to it (storage commitment).",
    ),
]

Notified = Annotated[
    bool | None,
    typer.Option(
        "--notify/--no-notify",
        help="Whether it is told which instances are available, and which no longer "
        "(Instance Availability Notification).",
    ),
]


@peer.command("add")
def peer_add(
    aet: Annotated[str, typer.Argument(help="Its AE title, 16 characters at most.")],
    host: Annotated[str, typer.Argument(help="Its name or address.")],
    port: Annotated[int, typer.Argument(help="Where it listens.")],
    commits: Commits = None,
    notified: Notified = None,
    tls: Tls = None,
    may: May = None,
    move_to: MoveTo = None,
    transfer_syntaxes: Syntaxes = None,
    duplicates: OfDuplicates = None,
    character_set: CharacterSet = None,
    issuer_of_patient_id: PatientIssuer = None,
    issuer_of_accession_number: AccessionIssuer = None,
    patient_from_worklist: PatientFromWorklist = None,
    data: Data = None,
) -> None:
    """Know a system, in place of an earlier one of its AE title."""
    added = _read(
        ae_title=aet,
        host=host,
        port=port,
        commits=commits,
        notified=notified,
        tls=tls,
        may=may,
        move_to=move_to,
        transfer_syntaxes=transfer_syntaxes,
        duplicates=duplicates,
        character_set=character_set,
        issuer_of_patient_id=issuer_of_patient_id,
        issuer_of_accession_number=issuer_of_accession_number,
        patient_from_worklist=patient_from_worklist,
    )
    _, parts = open_parts(data)
    parts.know(added)
    parts.close()


@peer.command("change")
def peer_change(
    aet: AeTitleArgument,
    host: Annotated[str | None, typer.Option(help="Its name or address.")] = None,
    port: Annotated[int | None, typer.Option(help="Where it listens.")] = None,
    commits: Commits = None,
    notified: Notified = None,
    tls: Tls = None,
    may: May = None,
    move_to: MoveTo = None,
    transfer_syntaxes: Syntaxes = None,
    duplicates: OfDuplicates = None,
    character_set: CharacterSet = None,
    issuer_of_patient_id: PatientIssuer = None,
    issuer_of_accession_number: AccessionIssuer = None,
    patient_from_worklist: PatientFromWorklist = None,
    data: Data = None,
) -> None:
    """Change what is said, and leave the rest as it is."""
    from diafana.peer_form import told

    _, parts = open_parts(data, is_there=True)
    known = parts.index.peers.find(aet)
    if known is None:
        raise no_peer(aet)
    changed = _read(
        told(known),
        host=host,
        port=port,
        commits=commits,
        notified=notified,
        tls=tls,
        may=may,
        move_to=move_to,
        transfer_syntaxes=transfer_syntaxes,
        duplicates=duplicates,
        character_set=character_set,
        issuer_of_patient_id=issuer_of_patient_id,
        issuer_of_accession_number=issuer_of_accession_number,
        patient_from_worklist=patient_from_worklist,
    )
    parts.know(changed)
    parts.close()


def _read(known: dict[str, Any] | None = None, /, **said: Any) -> Any:
    """The system of which this is said, and what was known. What is wrong ends the command."""
    from diafana.peer_form import InvalidPeer, peer_from

    try:
        given = {name: value for name, value in said.items() if value is not None}
        return peer_from((known or {}) | given)
    except InvalidPeer as error:
        fail(str(error), 2, error)


@peer.command("remove")
def peer_remove(aet: AeTitleArgument, data: Data = None) -> None:
    """Know a system no more."""
    _, parts = open_parts(data, is_there=True)
    was_known = parts.index.peers.remove(aet)
    parts.close()
    if not was_known:
        raise no_peer(aet)


@peer.command("list")
def peer_list(data: Data = None) -> None:
    """Print the known systems."""
    from diafana.permissions import told
    from pacs.model import EVERYTHING

    _, parts = open_parts(data, is_there=True)
    for known in parts.index.peers.all():
        tls = "  by TLS" if known.tls else ""
        may = "" if known.may == EVERYTHING else f"  may {told(known.may)}"
        commits = "  commits" if known.commits else ""
        notified = "  notified" if known.notified else ""
        said = f"{known.ae_title:16} {known.host}:{known.port}{commits}{notified}{tls}{may}"
        out.print(said, markup=False, soft_wrap=True)
    for what, queue in (
        ("messages about performed steps", parts.index.step_outbox),
        ("notifications of availability", parts.index.notices),
    ):
        for aet, waiting, reason in queue.waiting():
            line = f"{aet:16} {what} that wait: {waiting}. {reason}"
            out.print(line.rstrip(), markup=False, soft_wrap=True)
    parts.close()


@peer.command("show")
def peer_show(aet: AeTitleArgument, data: Data = None) -> None:
    """Print all that is known of a system."""
    from diafana.permissions import told
    from pacs.dataset.transfer_syntax import name_of

    _, parts = open_parts(data, is_there=True)
    known = parts.index.peers.find(aet)
    parts.close()
    if known is None:
        raise no_peer(aet)
    for name, value in (
        ("AE title", known.ae_title),
        ("address", f"{known.host}:{known.port}"),
        ("TLS", "yes" if known.tls else "no"),
        ("commits", "yes" if known.commits else "no"),
        ("notified", "yes" if known.notified else "no"),
        ("may", told(known.may)),
        ("move to", ", ".join(known.move_to) or "all that are known"),
        ("prefers", ", ".join(map(name_of, known.transfer_syntaxes)) or "none"),
        ("duplicates", known.duplicates.value),
        *(
            (f"puts in {name.replace('_', ' ')}", "" if value is True else value)
            for name, value in known.coercion._asdict().items()
            if value
        ),
    ):
        out.print(f"{name:9} {value}".rstrip(), markup=False, soft_wrap=True)


@peer.command("echo")
def peer_echo(aet: AeTitleArgument, data: Data = None) -> None:
    """Ask a known system whether it is there (C-ECHO)."""
    from pacs.dimse.requestor import PeerFailed, echo
    from pacs.dimse.tls import CannotUseTls

    settings, parts = open_parts(data, is_there=True)
    known = parts.index.peers.find(aet)
    parts.close()
    if known is None:
        raise no_peer(aet)
    try:
        echo(known, settings.aet, parts.tls_calling if known.tls else None)
    except PeerFailed as error:
        advice = (
            f"See that it runs, and that it knows {settings.aet}; `diafana peer change` corrects its address."
        )
        fail(f"{error}. {advice}", 1, error)
    except CannotUseTls as error:
        fail(f"TLS cannot be set up: {error}", 1, error)
    out.print(f"{aet} answers.")
