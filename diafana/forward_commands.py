"""`diafana forward`: the rules by which objects are sent on to other systems."""

from typing import Annotated, Any, NoReturn

import typer
from rich.text import Text

from diafana.console import Data, errors, fail, no_peer, open_parts, out

forward = typer.Typer(no_args_is_help=True, help="What is sent on to other systems as it comes, by rules.")

Name = Annotated[str, typer.Argument(help="The name of the rule.")]


@forward.command("add")
def add(
    name: Name,
    destination: Annotated[str, typer.Argument(help="AE title of a system that is known (`diafana peer`).")],
    keys: Annotated[
        list[str] | None,
        typer.Argument(
            help="What is sent: keys as of a search, such as Modality=CT; all must fit.", metavar="KEY=VALUE"
        ),
    ] = None,
    source: Annotated[str, typer.Option("--from", help="Only what comes from this AE title.")] = "",
    hours: Annotated[str, typer.Option(help="Send at these hours of the day, such as 22:00-06:00.")] = "",
    limit: Annotated[int | None, typer.Option(min=1024, help="Send so many bytes a second at most.")] = None,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="Send images as they come, not once their series is at rest.")
    ] = False,
    also_stored: Annotated[
        bool, typer.Option("--also-stored", help="Send what is stored already, too.")
    ] = False,
    data: Data = None,
) -> None:
    """Send what fits to a known system, from now on. The service may run."""
    from pacs.forwarding.follower import follower_of
    from pacs.model import ForwardRule

    if not name.isprintable() or not 1 <= len(name) <= 64:
        _refuse("A name has 1 to 64 printable characters.")
    pairs = _checked(keys or [], hours)
    rule = ForwardRule(name, destination, source, pairs, hours, limit, at_once)
    _, parts = open_parts(data)
    if parts.index.peers.find(destination) is None:
        raise no_peer(destination)
    if not parts.index.forwarding.add(rule, follower_of(rule) if also_stored else None):
        _refuse(f"There is a rule {name} already; `diafana forward remove {name}` removes it.")
    parts.ring()
    parts.close()


def _checked(keys: list[str], hours: str) -> tuple[tuple[str, str], ...]:
    """The keys as pairs. What cannot be understood ends the command."""
    from pacs.errors import InvalidQuery
    from pacs.forwarding.hours import Hours
    from pacs.keys import parse_named

    pairs = tuple((name, value) for name, _, value in (key.partition("=") for key in keys))
    try:
        parse_named(pairs)
        if hours:
            Hours.parse(hours)
    except (InvalidQuery, ValueError) as error:
        fail(f"{error}.", 2, error)
    return pairs


def _refuse(message: str) -> NoReturn:
    errors.print(Text(message, style="red"), soft_wrap=True)
    raise typer.Exit(1)


@forward.command("list")
def list_(data: Data = None) -> None:
    """Print the rules, and how many images wait, were sent and failed in the last 30 days."""
    _, parts = open_parts(data, is_there=True)
    for rule in parts.index.forwarding.rules():
        stands = parts.index.forwarding.progress(rule)
        figures = f"{stands.waiting} wait, {stands.sent} sent, {stands.failed} failed"
        state = "paused" if rule.is_paused else "on"
        line = f"{rule.name:16} {rule.destination:16} {state:6} {figures}  {stands.error}"
        out.print(line.rstrip(), markup=False, soft_wrap=True)
    parts.close()


@forward.command("show")
def show(name: Name, data: Data = None) -> None:
    """Print all of a rule."""
    from pacs.forwarding.told import told

    _, parts = open_parts(data, is_there=True)
    rule = _found(parts, name)
    for label, text in told(rule, parts.index.forwarding.progress(rule)).items():
        out.print(f"{label:18} {_plain(text)}".rstrip(), markup=False, soft_wrap=True)
    parts.close()


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(value)
    return "" if value is None else str(value)


@forward.command("pause")
def pause(name: Name, data: Data = None) -> None:
    """Let what a rule finds wait; it goes on being found. An image that is being sent is sent to its end."""
    _pause(name, True, data)


@forward.command("resume")
def resume(name: Name, data: Data = None) -> None:
    """Let a rule go on."""
    _pause(name, False, data)


def _pause(name: str, is_paused: bool, data: Any) -> None:
    _, parts = open_parts(data, is_there=True)
    if not parts.index.forwarding.pause(name, is_paused):
        _refuse(_unknown(name))
    parts.ring()
    parts.close()


@forward.command("remove")
def remove(name: Name, data: Data = None) -> None:
    """Follow a rule no more; what waits for it is not sent."""
    _, parts = open_parts(data, is_there=True)
    if not parts.index.forwarding.remove(name):
        _refuse(_unknown(name))
    parts.close()


def _found(parts: Any, name: str) -> Any:
    rule = next((one for one in parts.index.forwarding.rules() if one.name == name), None)
    if rule is None:
        _refuse(_unknown(name))
    return rule


def _unknown(name: str) -> str:
    return f"There is no rule {name}; `diafana forward list` has their names."
