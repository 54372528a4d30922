"""The programs that the bench needs, and how to come by them on Debian."""

import os
import subprocess
from shutil import which

from bench.load import PATH
from bench.servers import DICOMWEB_PLUGIN, orthanc_program

# Debian 12's names; curl is needed for STOW-RS.
PACKAGES = ("orthanc", "orthanc-dicomweb", "dcmtk", "wrk", "curl")
CLIENTS = ("storescu", "storescp", "wrk", "curl")
INSTALL = ("apt-get", "install", "-y", "--no-install-recommends", *PACKAGES)


def missing_clients() -> list[str]:
    """Those without which nothing can be measured."""
    return [client for client in CLIENTS if which(client, path=PATH) is None]


def has_peer() -> bool:
    """Whether Orthanc and its DICOMweb plugin are there."""
    return orthanc_program() is not None and DICOMWEB_PLUGIN.exists()


def can_install() -> bool:
    """Whether this is root on a machine with apt."""
    return os.geteuid() == 0 and which("apt-get") is not None


def install() -> bool:
    """Install all of them; false when that failed. What apt says goes to the terminal."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (("apt-get", "update", "-q"), INSTALL):
        if subprocess.run(command, env=environment, check=False).returncode != 0:
            return False
    return True
