"""Fills a running archive, or a folder, with three fictional patients: `python -m testdata.demo`."""

import argparse
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from pydicom import Dataset
from pynetdicom import AE, build_context
from pynetdicom.association import Association
from rich.console import Console
from rich.progress import Progress

from testdata import pynetdicom_reactor
from testdata.ct import ct_series
from testdata.dx import chest_xray
from testdata.files import write_folder
from testdata.measurement_report import measurement_report
from testdata.mr import mr_series
from testdata.pdf import encapsulated_pdf
from testdata.us import us_cine

VIEWER = (
    f"http://{os.environ.get('DIAFANA_HOST', '127.0.0.1')}:{os.environ.get('DIAFANA_HTTP_PORT', '8080')}/"
)
_SUCCESS = 0x0000
_SECONDS = 10


class NotSent(Exception):
    """The objects did not arrive; the message says why and what to do."""


def demo_objects() -> Iterator[Dataset]:
    """CT with report and PDF of one patient, MR of the second, ultrasound and radiograph of the third."""
    ct = ct_series(slices=120)
    yield from ct
    yield measurement_report(ct)
    yield encapsulated_pdf()
    yield from mr_series()
    yield us_cine()
    yield chest_xray()


def send(datasets: list[Dataset], host: str, port: int, ae_title: str, progress: Progress) -> None:
    """Store all objects over one association. Raises NotSent."""
    pairs = {(each.SOPClassUID, each.file_meta.TransferSyntaxUID) for each in datasets}
    ae = AE("DEMO")
    ae.connection_timeout = _SECONDS
    association = ae.associate(
        host, port, [build_context(*pair) for pair in sorted(pairs)], ae_title=ae_title
    )
    if not association.is_established:
        raise NotSent(f"The service at {host}:{port} refuses an association. Is its AE title {ae_title}?")
    try:
        for dataset in progress.track(datasets, description="Sending"):
            _store(association, dataset)
    finally:
        association.release()


def main(arguments: list[str] | None = None) -> int:
    """Build and send, or write; returns the exit code."""
    pynetdicom_reactor.mend()
    options = _parser().parse_args(arguments)
    console = Console()
    try:
        if options.folder is None:
            _knock(options.host, options.port)
        with console.status("Building three fictional patients"):
            datasets = list(demo_objects())
        if options.folder is not None:
            paths = write_folder(datasets, options.folder)
            console.print(f"{len(paths)} objects are in {options.folder}.")
            return 0
        with Progress(console=console) as progress:
            send(datasets, options.host, options.port, options.aet, progress)
    except NotSent as reason:
        Console(stderr=True).print(str(reason), style="red")
        return 1
    console.print(f"{len(datasets)} objects stored. Look at them at {VIEWER}")
    return 0


def _knock(host: str, port: int) -> None:
    """Find out whether anybody listens before there is anything to wait for. Raises NotSent."""
    try:
        socket.create_connection((host, port), _SECONDS).close()
    except OSError as reason:
        raise NotSent(
            f"Nothing answers at {host}:{port}. Start the service with `make serve` first."
        ) from reason


def _store(association: Association, dataset: Dataset) -> None:
    try:
        status = association.send_c_store(dataset)
    except (ValueError, RuntimeError) as reason:
        raise NotSent(f"{dataset.SOPClassUID.name} cannot be sent: {reason}") from reason
    if "Status" not in status:
        raise NotSent("The connection broke while sending. Look at the log of the service.")
    if status.Status != _SUCCESS:
        comment = status.get("ErrorComment", "no comment")
        raise NotSent(f"{dataset.SOPClassUID.name} was not stored: status {status.Status:04X}, {comment}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m testdata.demo", description=__doc__)
    # The service reads the same variables, so that one setting serves both
    host, port = os.environ.get("DIAFANA_HOST", "127.0.0.1"), os.environ.get("DIAFANA_DIMSE_PORT", "11112")
    parser.add_argument("--host", default=host, help="where the archive listens")
    parser.add_argument("--port", type=int, default=port, help="DICOM port of the archive")
    parser.add_argument(
        "--aet", default=os.environ.get("DIAFANA_AET", "DIAFANA"), help="AE title of the archive"
    )
    parser.add_argument("--folder", type=Path, help="write files here instead of sending")
    return parser


if __name__ == "__main__":
    sys.exit(main())
