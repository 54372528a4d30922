"""The command `diafana`."""

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

# Set before numpy is imported: threads of a linear algebra that nobody uses here, in every process.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import typer
from rich.text import Text

from diafana.console import Data, errors, fail, open_parts, option, out, settings_of, with_progress
from diafana.forward_commands import forward
from diafana.logs import set_up_logs
from diafana.peer_commands import peer
from diafana.remote_commands import remote

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="A DICOM imaging archive and viewer: DICOM networking, DICOMweb, structured reports as FHIR.",
    pretty_exceptions_show_locals=False,  # locals may hold what identifies a patient
)
ohif = typer.Typer(no_args_is_help=True, help="The viewer OHIF, served at /ohif/ where it is installed.")
app.add_typer(ohif, name="ohif")

app.add_typer(peer, name="peer")

push = typer.Typer(no_args_is_help=True, help="What is sent to another FHIR server.")
app.add_typer(push, name="push")
app.add_typer(forward, name="forward")
app.add_typer(remote, name="remote")


@app.command()
def serve(
    data: Data = None,
    host: Annotated[str | None, option("host")] = None,
    http_port: Annotated[int | None, option("http_port")] = None,
    dimse_port: Annotated[int | None, option("dimse_port")] = None,
    dimse_tls_port: Annotated[int | None, option("dimse_tls_port")] = None,
    hl7_port: Annotated[int | None, option("hl7_port")] = None,
    aet: Annotated[str | None, option("aet")] = None,
    workers: Annotated[int | None, option("workers")] = None,
) -> None:
    """Start the archive: DICOM networking, DICOMweb, FHIR and the page."""
    settings = settings_of(
        data=data,
        host=host,
        http_port=http_port,
        dimse_port=dimse_port,
        dimse_tls_port=dimse_tls_port,
        hl7_port=hl7_port,
        aet=aet,
        workers=workers,
    )
    set_up_logs()
    with tempfile.TemporaryDirectory(prefix="diafana-metrics-") as folder:
        # Read when prometheus_client is imported: the folder in which the processes share their counters
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        from diafana import service

        try:
            service.serve(settings)
        except service.CannotStart as error:
            fail(f"Cannot start: {error}", 1, error)


@app.command("import")
def import_(
    paths: Annotated[list[Path], typer.Argument(help="Files, folders, DICOMDIRs, zip archives.")],
    data: Data = None,
) -> None:
    """Put files into the archive. Broken off, the same command goes on where it was."""
    from diafana.importing import Importer, Journal, NotReadable, find_items
    from pacs.errors import OutOfSpace

    settings, parts = open_parts(data)
    try:
        items = list(find_items(paths))
    except FileNotFoundError as error:
        fail(f"There is no {error}.", 2, error)
    except NotReadable as error:
        fail(str(error), 1, error)
    journal = Journal(settings.data / "imports", paths)
    importer = Importer(parts.archive, journal)
    try:
        with_progress("Importing", len(items), lambda step: _import_all(importer, items, step))
    except OutOfSpace as error:
        fail(f"{error} What is imported is kept; the same command goes on.", 1, error)
    journal.forget()
    parts.close()
    for name, reason in importer.summary.refused:
        errors.print(Text(f"refused {name}: {reason}"), soft_wrap=True)
    for outcome, number in sorted(importer.summary.counts.items()):
        out.print(f"{number:8} {outcome}")
    if importer.summary.refused:
        raise typer.Exit(1)


def _import_all(importer: Any, items: list[Any], step: Callable[[], None]) -> None:
    for item in items:
        importer.take(item)
        step()
    importer.settle()


@app.command()
def verify(data: Data = None) -> None:
    """Read every stored file again and compare it with what was acknowledged."""
    from pacs.upkeep import verify as verify_files

    _, parts = open_parts(data, is_there=True)
    total = parts.index.count()
    damages = with_progress(
        "Verifying", total, lambda step: list(verify_files(parts.files, parts.index, step))
    )
    parts.close()
    for damage in damages:
        errors.print(Text(f"damaged {damage.instance.sop_instance_uid}: {damage.what}"), soft_wrap=True)
    out.print(f"{total - len(damages)} of {total} instances are intact.")
    if damages:
        raise typer.Exit(1)


@app.command()
def reindex(data: Data = None) -> None:
    """Build the index anew from the files. The service must not be running."""
    from diafana.reindexing import rebuild
    from diafana.service import CannotStart

    settings = settings_of(data=data)
    set_up_logs()
    try:
        indexed, left_out = with_progress("Indexing", None, lambda step: rebuild(settings, step))
    except CannotStart as error:
        fail(f"Cannot reindex: {error}", 1, error)
    for file, reason in left_out:
        errors.print(Text(f"left out {file}: {reason}"), soft_wrap=True)
    out.print(f"{indexed} instances indexed, {len(left_out)} files left out.")
    if left_out:
        raise typer.Exit(1)


@ohif.command("install")
def ohif_install(
    data: Data = None,
    package: Annotated[
        Path | None, typer.Option(help="The package, fetched elsewhere: for a machine without a network.")
    ] = None,
) -> None:
    """Fetch the published OHIF with npm, check it, put it into the data folder. The service may run."""
    from diafana.ohif_install import PACKAGE, CannotInstall, install

    settings = settings_of(data=data)
    try:
        with_progress(f"Installing {PACKAGE}", None, lambda step: install(settings.ohif, package, step))
    except CannotInstall as error:
        fail(f"OHIF was not installed: {error}", 1, error)
    out.print(f"{PACKAGE} is in {settings.ohif}; the service has it at /ohif/.", soft_wrap=True)


@app.command()
def recycled(data: Data = None) -> None:
    """List what was deleted, rejected or replaced and can be restored."""
    _, parts = open_parts(data, is_there=True)
    for line in _told(parts.index.remover.recycled()):
        out.print(line, soft_wrap=True)
    parts.close()


def _told(recycled: list[Any]) -> list[str]:
    """A line for each series and reason, the latest last."""
    groups: dict[tuple[str, str, str, str], list[float]] = {}
    for one in recycled:
        key = one.study_instance_uid, one.series_instance_uid, one.reason, one.requester
        groups.setdefault(key, []).append(one.at)
    return [
        f"{time.strftime('%Y-%m-%d %H:%M', time.localtime(max(at)))}  {len(at):6} instances  {reason}"
        f"  study {study}  series {series}  by {requester or 'nobody known'}"
        for (study, series, reason, requester), at in groups.items()
    ]


@app.command()
def restore(
    uid: Annotated[str, typer.Argument(help="Study, Series or SOP Instance UID.")], data: Data = None
) -> None:
    """Bring back what was deleted, rejected or replaced, while its files are there."""
    from pacs.errors import ArchiveError
    from pacs.index import Verdict

    _, parts = open_parts(data, is_there=True)
    try:
        verdicts = parts.archive.deletion.restore(uid)
    except ArchiveError as error:
        fail(f"Cannot restore: {error}. What came back before is kept; try again.", 1, error)
    parts.close()
    if not verdicts:
        errors.print(Text(f"Nothing that was deleted bears {uid}.", style="red"), soft_wrap=True)
        raise typer.Exit(1)
    for verdict, number in sorted(Counter(verdicts).items()):
        out.print(f"{number:8} {'restored' if verdict is Verdict.CREATED else f'left: {verdict.value}'}")


@app.command()
def conformance() -> None:
    """Print the conformance statement, which is kept as docs/conformance.md."""
    with tempfile.TemporaryDirectory(prefix="diafana-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        from diafana.conformance import statement

        sys.stdout.write(statement())


@app.command()
def hl7(
    files: Annotated[list[Path], typer.Argument(help="Files of messages, ORM^O01 or OMI^O23.")],
    data: Data = None,
) -> None:
    """Take orders out of files of HL7 v2: what they schedule is in the modality worklist."""
    from hl7v2.receiver import Receiver, messages_of

    _, parts = open_parts(data)
    receiver = Receiver(parts.orders)
    taken = refused = 0
    for file in files:
        try:
            messages = list(messages_of(file.read_bytes()))
        except OSError as error:
            fail(f"{file} cannot be read: {error.strerror}. What was taken before is kept.", 1, error)
        for number, message in enumerate(messages, 1):
            reason = receiver.do(message, "file")
            taken, refused = (taken + 1, refused) if reason is None else (taken, refused + 1)
            if reason is not None:
                errors.print(Text(f"refused message {number} of {file}: {reason}"), soft_wrap=True)
    parts.close()
    out.print(f"{taken} messages taken, {refused} refused.")
    if refused:
        raise typer.Exit(1)


@app.command()
def fhir(file: Annotated[Path, typer.Argument(help="A DICOM file.")]) -> None:
    """Print what one object becomes in FHIR, as the transaction that another server would be sent."""
    from pydicom.errors import InvalidDicomError

    from diafana.bundling import object_bundle
    from sr.fhir_json import dumps

    try:
        bundle, unmapped = object_bundle(file)
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}.", 1, error)
    except InvalidDicomError as error:
        fail(f"{file} is no DICOM file.", 1, error)
    sys.stdout.write(dumps(bundle).decode() + "\n")
    if unmapped:
        errors.print(f"{unmapped} content items are in none of the resources.")


@push.command("list")
def push_list(data: Data = None) -> None:
    """Print the studies that wait to be sent, and those that were given up."""
    _, parts = open_parts(data, is_there=True)
    for one in parts.push_outbox.all():
        state = "given up" if one.dead else "waits"
        out.print(f"{one.study_instance_uid:64} {state:8} {one.attempts:4} {one.error}", markup=False)
    parts.close()


@push.command("retry")
def push_retry(data: Data = None) -> None:
    """Send at once all that waits or was given up."""
    _, parts = open_parts(data, is_there=True)
    waiting = parts.push_outbox.all()
    for one in waiting:
        parts.push_outbox.add(one.study_instance_uid)
    parts.push_bell.ring()
    parts.close()
    out.print(f"Studies that are sent again: {len(waiting)}.")


@app.command()
def subscriptions(data: Data = None) -> None:
    """List the FHIR subscriptions: how many resources each is still to be told of, and which it refused."""
    _, parts = open_parts(data, is_there=True)
    for one in parts.subscription_store.backlog():
        kept = one.subscription
        figures = f"{one.waiting} waits, {one.dead} refused"
        line = f"{kept.subscription_id:36} {kept.status:9} {figures:24} {kept.content['criteria']}"
        out.print(f"{line}  {kept.error}".rstrip(), markup=False, soft_wrap=True)
    parts.close()


def main() -> None:
    """Run the command that was typed."""
    app()
