"""What the archive counts of itself, for Prometheus."""

from functools import cache

from prometheus_client import Counter, Gauge

INSTANCES = Counter(
    "diafana_instances_total",
    "Objects handed in, by what became of them: stored, already stored, or the error.",
    ["outcome"],
)
BYTES = Counter("diafana_received_bytes_total", "Bytes of objects taken in, as Part 10 files.")
ASSOCIATIONS = Counter("diafana_associations_total", "DICOM associations, by how they ended.", ["end"])
OPEN_ASSOCIATIONS = Gauge(
    "diafana_open_associations", "DICOM associations open now.", multiprocess_mode="livesum"
)
REQUESTS = Counter("diafana_dimse_requests_total", "DIMSE requests answered.", ["service", "status"])


@cache
def instance_counter(outcome: str) -> Counter:
    """The counter of one outcome; to find it each time costs as much as to count."""
    return INSTANCES.labels(outcome)


@cache
def request_counter(command_field: int, status: int) -> Counter:
    """The counter of requests of one kind that were answered with one status."""
    return REQUESTS.labels(f"{command_field & 0x7FFF:04X}", f"{status:04X}")
