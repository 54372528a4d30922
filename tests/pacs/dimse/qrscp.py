"""Another archive: DCMTK's dcmqrscp, filled by C-STORE."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydicom import Dataset
from pydicom.uid import ImplicitVRLittleEndian
from pynetdicom import AE

from pacs.model import Peer
from tests.pacs.dimse.scp import free_port, wait_for

_CONFIGURATION = """
NetworkTCPPort = {port}
MaxPDUSize = 16384
MaxAssociations = 16
HostTable BEGIN
ours = (DIAFANA, 127.0.0.1, {ours})
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
QRSCP {folder} RW (200, 1024mb) ANY
AETable END
"""


@contextmanager
def qrscp(folder: Path, datasets: Sequence[Dataset], *options: str, ours: int = 104) -> Iterator[Peer]:
    """It has these objects.  ours: where the system DIAFANA listens, to which it may move them."""
    folder.mkdir()
    port = free_port()
    configuration = folder.parent / f"{folder.name}.cfg"
    configuration.write_text(_CONFIGURATION.format(port=port, ours=ours, folder=folder))
    command: list[str | Path] = ["dcmqrscp", *options, "-c", configuration]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(port)
            _fill(port, datasets)
            yield Peer("QRSCP", "127.0.0.1", port)
        finally:
            process.terminate()


def _fill(port: int, datasets: Sequence[Dataset]) -> None:
    user = AE("FILLER")
    for sop_class in {one.SOPClassUID for one in datasets}:
        user.add_requested_context(sop_class, [ImplicitVRLittleEndian, "1.2.840.10008.1.2.1"])
    association = user.associate("127.0.0.1", port, ae_title="QRSCP")
    assert association.is_established
    for one in datasets:
        assert association.send_c_store(one).Status == 0
    association.release()
