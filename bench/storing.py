"""Rows that store. Each stores fresh series, and counts only what the archive then says it holds."""

import json
import os
from pathlib import Path

from bench import load
from bench.answers import DICOM_JSON, PACKED_DICOM_JSON, check_metadata, json_of
from bench.figures import NotMeasured
from bench.servers import Server
from bench.stage import Stage
from bench.studies import LIBRARY_SLICES, Batch, Template, multipart

BOUNDARY = "bench-boundary-7d4a"
ASSOCIATIONS = 4
STOW_INSTANCES = 60
NUMBER_OF_STUDY_RELATED_INSTANCES = "00201208"
FAILED_SOP_SEQUENCE = "00081198"


def ct_over_one_association(server: Server, stage: Stage) -> float:
    """Instances a second."""
    return _c_store(server, stage, stage.studies.ct, stage.amounts.ct, associations=1)


def mr_over_one_association(server: Server, stage: Stage) -> float:
    """Instances a second."""
    return _c_store(server, stage, stage.studies.mr, stage.amounts.mr, associations=1)


def ct_over_four_associations(server: Server, stage: Stage) -> float:
    """Instances a second of all four together."""
    return _c_store(server, stage, stage.studies.ct, stage.amounts.ct // 2, ASSOCIATIONS)


def mr_over_four_associations(server: Server, stage: Stage) -> float:
    """Instances a second of all four together."""
    return _c_store(server, stage, stage.studies.mr, stage.amounts.mr // 2, ASSOCIATIONS)


def stow_of_ct(server: Server, stage: Stage) -> float:
    """Instances a second, STOW_INSTANCES in each request, one request after the other."""
    seconds = sum(_stow_one(server, stage) for _ in range(stage.amounts.stow))
    return stage.amounts.stow * STOW_INSTANCES / seconds


def _stow_one(server: Server, stage: Stage) -> float:
    with stage.fresh(stage.studies.ct, STOW_INSTANCES) as [batch]:
        body, answer = stage.sources / "body", stage.sources / "answer"
        body.write_bytes(multipart([path.read_bytes() for path in batch.files], BOUNDARY))
        os.sync()
        content_type = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
        seconds = load.post(f"{server.dicomweb}/studies", body, content_type, answer)
        _check_stow(answer)
        _check_kept(server, batch, STOW_INSTANCES)
    return seconds


def metadata_of_a_new_series(server: Server, stage: Stage) -> float:
    """Milliseconds of the first request for a series whose last instance was acknowledged just now."""
    with stage.fresh(stage.studies.ct, LIBRARY_SLICES) as [batch]:
        load.store([batch.folder], server.dimse_port, server.ae_title)
        answer = load.get(f"{server.dicomweb}{batch.path}/metadata", PACKED_DICOM_JSON)
        check_metadata(answer, LIBRARY_SLICES)
    return answer.seconds * 1000


def _c_store(server: Server, stage: Stage, of: Template, count: int, associations: int) -> float:
    with stage.fresh(of, count, associations) as batches:
        os.sync()
        seconds = load.store([batch.folder for batch in batches], server.dimse_port, server.ae_title)
        for batch in batches:
            _check_kept(server, batch, count)
    return associations * count / seconds


def _check_kept(server: Server, batch: Batch, count: int) -> None:
    url = f"{server.dicomweb}/studies?StudyInstanceUID={batch.study_instance_uid}&includefield=00201208"
    found = json_of(load.get(url, DICOM_JSON))
    kept = found[0].get(NUMBER_OF_STUDY_RELATED_INSTANCES, {}).get("Value", [0])[0] if found else 0
    if int(kept) != count:
        raise NotMeasured(f"{count} instances were acknowledged, the archive holds {kept}")


def _check_stow(answer: Path) -> None:
    failed = json.loads(answer.read_bytes()).get(FAILED_SOP_SEQUENCE, {}).get("Value", [])
    if failed:
        raise NotMeasured(f"STOW-RS refused {len(failed)} instances")
