"""What may be said of a known system on the command line, beside its AE title and its address."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from diafana.permissions import EVERYBODY_MAY

# By the names that Peer has for them; None where nothing is said
OPTIONS: dict[str, Any] = {
    "commits": Annotated[
        bool | None,
        typer.Option(
            "--commit/--no-commit",
            help="Whether it is asked to commit to what is sent to it (storage commitment).",
        ),
    ],
    "notified": Annotated[
        bool | None,
        typer.Option(
            "--notify/--no-notify",
            help="Whether it is told which instances are available, and which no longer "
            "(Instance Availability Notification).",
        ),
    ],
    "tls": Annotated[bool | None, typer.Option("--tls/--no-tls", help="Whether it is called by TLS.")],
    "may": Annotated[
        str | None,
        typer.Option(
            help=f"What it may ask of us: {EVERYBODY_MAY}; some of these, or nothing. [default: all]"
        ),
    ],
    "move_to": Annotated[
        str | None,
        typer.Option(
            help="AE titles that it may have things sent to, parted by commas; empty for all that are known."
        ),
    ],
    "transfer_syntaxes": Annotated[
        str | None,
        typer.Option(
            help="Transfer syntaxes that are preferred with it, the best first, by UID or keyword, "
            "parted by commas; empty for none."
        ),
    ],
    "duplicates": Annotated[
        str | None,
        typer.Option(
            help="What becomes of objects that it sends in other content than they are here: set aside; "
            "keep, the same but told as a warning; or replace. [default: set aside]",
        ),
    ],
    "character_set": Annotated[
        str | None,
        typer.Option(
            help="Specific Character Set that is put into its objects where they state none; or empty."
        ),
    ],
    "issuer_of_patient_id": Annotated[
        str | None, typer.Option(help="Issuer of Patient ID that is put in where none is stated; or empty.")
    ],
    "issuer_of_accession_number": Annotated[
        str | None,
        typer.Option(help="Issuer of Accession Number that is put in where none is stated; or empty."),
    ],
    "patient_from_worklist": Annotated[
        bool | None,
        typer.Option(
            "--patient-from-worklist/--no-patient-from-worklist",
            help="Whether the patient of the worklist item of its study is put into its objects.",
        ),
    ],
}


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command takes these options as well, each as a keyword: typer reads them from its signature."""
    signature = inspect.signature(command)
    own = [one for one in signature.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=option)
        for name, option in OPTIONS.items()
    ]
    command.__signature__ = signature.replace(parameters=[*own, *options])  # type: ignore[attr-defined]
    return command
