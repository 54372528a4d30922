"""Rows that read the library. Each asks once and judges the answer, and only then lets wrk loose."""

import itertools
from collections.abc import Iterable, Mapping

from bench import load
from bench.answers import (
    DICOM_JSON,
    PACKED_DICOM_JSON,
    PLAIN_DICOM_JSON,
    check_frame,
    check_metadata,
    check_picture,
    check_results,
)
from bench.figures import NotMeasured
from bench.load import Answer, WrkReport
from bench.servers import Server
from bench.stage import Stage
from bench.studies import LIBRARY_SLICES, LIBRARY_STUDIES, Batch

# The stored syntax, as viewers ask for it.
OCTET_STREAM = {"Accept": 'multipart/related; type="application/octet-stream"; transfer-syntax=*'}
JPEG = {"Accept": "image/jpeg"}
SIDE = 512
FEW_CONNECTIONS = 4
MANY_CONNECTIONS = 8
# wrk counts whole answers only, and cuts off those under way. A slow service is given the time for this many
# in turn, up to a cap, so that the cut weighs little.
ANSWERS_WANTED = 50
LONGEST_SECONDS = 30
# Answers of one row differ in size, pictures most; less than this share of the judged answer is no answer.
SMALLEST_SHARE = 0.5
WINDOWS = 100


def qido_studies(server: Server, stage: Stage) -> float:
    """Requests a second for all studies of the library."""
    path = "/studies"
    answer = load.get(server.dicomweb + path, DICOM_JSON)
    check_results(answer, LIBRARY_STUDIES)
    return _wrk(server, stage, [path], DICOM_JSON, answer, FEW_CONNECTIONS).rate


def qido_patient(server: Server, stage: Stage) -> float:
    """Requests a second for the studies of one patient, each time of another."""
    paths = [f"/studies?PatientID={batch.patient_id}" for batch in stage.library.others]
    answer = load.get(server.dicomweb + paths[0], DICOM_JSON)
    check_results(answer, 1)
    return _wrk(server, stage, paths, DICOM_JSON, answer, FEW_CONNECTIONS).rate


def qido_instances(server: Server, stage: Stage) -> float:
    """Requests a second for the instances of the long series."""
    path = f"{stage.library.long_series.path}/instances"
    answer = load.get(server.dicomweb + path, DICOM_JSON)
    check_results(answer, LIBRARY_SLICES)
    return _wrk(server, stage, [path], DICOM_JSON, answer, FEW_CONNECTIONS).rate


def metadata_packed(server: Server, stage: Stage) -> float:
    """Milliseconds of a request, with gzip."""
    return _metadata(server, stage, PACKED_DICOM_JSON)


def metadata_plain(server: Server, stage: Stage) -> float:
    """Milliseconds of a request, without gzip."""
    return _metadata(server, stage, PLAIN_DICOM_JSON)


def frames(server: Server, stage: Stage) -> float:
    """Requests a second for frames, each time of another instance."""
    paths = [f"{instance}/frames/1" for instance in _instances(stage.library.long_series)]
    answer = load.get(server.dicomweb + paths[0], OCTET_STREAM)
    check_frame(answer, stage.studies.ct.pixels(1))
    return _wrk(server, stage, paths, OCTET_STREAM, answer, MANY_CONNECTIONS).rate


def rendered_new(server: Server, stage: Stage) -> float:
    """Requests a second for pictures that were never asked for: of another instance, or in another window."""
    serial = stage.number()
    windows = [f"window={40 + serial + number / WINDOWS:.2f},400,linear" for number in range(WINDOWS)]
    instances = _instances(stage.library.long_series)
    addresses = itertools.product(windows, instances)
    first, *paths = [f"{instance}/rendered?{window}" for window, instance in addresses]
    answer = load.get(server.dicomweb + first, JPEG)
    check_picture(answer, SIDE)
    report = _wrk(server, stage, paths, JPEG, answer, FEW_CONNECTIONS)
    if report.requests > len(paths):
        raise NotMeasured(f"only {len(paths)} different pictures for {report.requests} requests")
    return report.rate


def rendered_again(server: Server, stage: Stage) -> float:
    """Requests a second for one and the same picture."""
    path = f"{_instances(stage.library.long_series)[0]}/rendered"
    answer = load.get(server.dicomweb + path, JPEG)
    check_picture(answer, SIDE)
    return _wrk(server, stage, [path], JPEG, answer, FEW_CONNECTIONS).rate


def _metadata(server: Server, stage: Stage, headers: Mapping[str, str]) -> float:
    path = f"{stage.library.long_series.path}/metadata"
    answer = load.get(server.dicomweb + path, headers)
    check_metadata(answer, LIBRARY_SLICES)
    return 1000 / _wrk(server, stage, [path], headers, answer, connections=1).rate


def _wrk(
    server: Server,
    stage: Stage,
    paths: Iterable[str],
    headers: Mapping[str, str],
    judged: Answer,
    connections: int,
) -> WrkReport:
    """Ask for paths below the DICOMweb root. Raises NotMeasured when answers are too small to be right."""
    seconds = min(max(stage.amounts.seconds, round(ANSWERS_WANTED * judged.seconds)), LONGEST_SECONDS)
    root = "/" + server.dicomweb.split("/", 3)[3]
    file = stage.scratch() / "paths"
    file.write_text("".join(f"{root}{path}\n" for path in paths))
    report = load.wrk(server.dicomweb, file, headers, connections=connections, seconds=seconds)
    if report.bytes < SMALLEST_SHARE * len(judged.body) * report.requests:
        raise NotMeasured(f"{report.bytes} bytes in {report.requests} answers are too few")
    return report


def _instances(batch: Batch) -> list[str]:
    return [f"{batch.path}/instances/{uid}" for uid in batch.sop_instance_uids]
