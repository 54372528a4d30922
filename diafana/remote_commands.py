"""`diafana remote`: what other archives have, and getting it from them."""

import sys
from typing import Annotated, Any, NoReturn

import typer
from rich.text import Text

from diafana.console import Data, errors, fail, no_peer, open_parts, out, with_bar

remote = typer.Typer(no_args_is_help=True, help="Other archives: what they have, and getting it from them.")

Aet = Annotated[str, typer.Argument(help="AE title of a system that is known (`diafana peer`).")]
Keys = Annotated[list[str] | None, typer.Argument(help="Keys, such as PatientID=1234.", metavar="KEY=VALUE")]


@remote.command("find")
def find(
    aet: Aet,
    keys: Keys = None,
    level: Annotated[str, typer.Option(help="patient, study, series or instance.")] = "study",
    limit: Annotated[int, typer.Option(min=1, help="So many answers at most.")] = 500,
    as_json: Annotated[bool, typer.Option("--json", help="Print DICOM JSON, an object a line.")] = False,
    data: Data = None,
) -> None:
    """Ask a known system what it has (C-FIND). A key without value is only told."""
    import pydicom

    from pacs.dimse.remote import find as find_there
    from pacs.dimse.requestor import PeerFailed
    from pacs.errors import InvalidQuery
    from pacs.model import Level

    if level.upper() not in Level.__members__:
        _refuse(f"{level} is no level; they are patient, study, series and instance.")
    settings, parts = open_parts(data, is_there=True)
    peer = _peer(parts, aet)
    parts.close()
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE  # its warnings quote values
    try:
        for answer in find_there(peer, settings.aet, Level[level.upper()], _pairs(keys), limit):
            if as_json:
                sys.stdout.write(answer.to_json() + "\n")
            else:
                out.print(_line(answer), markup=False, soft_wrap=True)
    except InvalidQuery as error:
        fail(f"{error}.", 2, error)
    except PeerFailed as error:
        fail(f"{error}.", 1, error)


@remote.command("get")
def get(
    aet: Aet,
    keys: Keys = None,
    move: Annotated[
        bool,
        typer.Option("--move", help="By C-MOVE to our AE title, which it must know; the service must run."),
    ] = False,
    data: Data = None,
) -> None:
    """Get a study, or a series or an instance of it, what is missing here: StudyInstanceUID=... and so on."""
    from pacs.dimse.requestor import PeerFailed
    from pacs.dimse.retrieval import Retrieval, entity_of
    from pacs.errors import ArchiveError, InvalidQuery

    settings, parts = open_parts(data, is_there=True)
    peer = _peer(parts, aet)
    try:
        retrieval = Retrieval(parts.archive, peer, settings.aet, entity_of(_pairs(keys)), parts.tls_calling)
        last = with_bar("Getting", retrieval.run(move))
    except InvalidQuery as error:
        fail(f"{error}.", 2, error)
    except (ArchiveError, PeerFailed) as error:
        fail(f"{error}. What came is kept; the same command gets the rest.", 1, error)
    finally:
        parts.close()
    out.print(f"{last.here} of {last.all} instances are here.")
    if last.here < last.all:
        raise typer.Exit(1)


def _pairs(keys: list[str] | None) -> dict[str, str]:
    return {name: value for name, _, value in (key.partition("=") for key in keys or [])}


def _peer(parts: Any, aet: str) -> Any:
    peer = parts.index.peers.find(aet)
    if peer is None:
        parts.close()
        raise no_peer(aet)
    return peer


def _refuse(message: str) -> NoReturn:
    errors.print(Text(message, style="red"), soft_wrap=True)
    raise typer.Exit(2)


def _line(answer: Any) -> str:
    """Keywords and values of one answer."""
    told = (one for one in answer if one.keyword not in _UNTOLD and one.VR != "SQ")
    return "  ".join(f"{one.keyword}={_text(one.value)}" for one in told)


_UNTOLD = frozenset({"SpecificCharacterSet", "QueryRetrieveLevel", "RetrieveAETitle", "InstanceAvailability"})


def _text(value: Any) -> str:
    if value is None:
        return ""
    values = value if isinstance(value, list) or hasattr(value, "append") else [value]
    told = "\\".join(map(str, values))
    return "".join(one if one.isprintable() else "?" for one in told)  # nothing that steers the terminal
