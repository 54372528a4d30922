"""`diafana peer`: the systems that are known, by their AE titles."""

from typing import Annotated, Any

import typer

from diafana.console import Data, fail, no_peer, open_parts, out
from diafana.peer_options import with_options

peer = typer.Typer(
    no_args_is_help=True,
    help="The systems that are known, by their AE titles: where they are, what they may.",
)

AeTitleArgument = Annotated[str, typer.Argument(help="Its AE title.")]


@peer.command("add")
@with_options
def peer_add(
    aet: Annotated[str, typer.Argument(help="Its AE title, 16 characters at most.")],
    host: Annotated[str, typer.Argument(help="Its name or address.")],
    port: Annotated[int, typer.Argument(help="Where it listens.")],
    data: Data = None,
    **said: Any,
) -> None:
    """Know a system, in place of an earlier one of its AE title."""
    added = _read({"ae_title": aet, "host": host, "port": port}, said)
    _, parts = open_parts(data)
    parts.know(added)
    parts.close()


@peer.command("change")
@with_options
def peer_change(
    aet: AeTitleArgument,
    host: Annotated[str | None, typer.Option(help="Its name or address.")] = None,
    port: Annotated[int | None, typer.Option(help="Where it listens.")] = None,
    data: Data = None,
    **said: Any,
) -> None:
    """Change what is said, and leave the rest as it is."""
    from diafana.peer_form import told

    _, parts = open_parts(data, is_there=True)
    known = parts.index.peers.find(aet)
    if known is None:
        raise no_peer(aet)
    parts.know(_read(told(known), {"host": host, "port": port, **said}))
    parts.close()


def _read(known: dict[str, Any], said: dict[str, Any]) -> Any:
    """The system of which this is known, and said now. What is wrong ends the command."""
    from diafana.peer_form import InvalidPeer, peer_from

    try:
        return peer_from(known | {name: value for name, value in said.items() if value is not None})
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
    from pacs.dimse.dialogue import echo
    from pacs.dimse.requestor import PeerFailed
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
