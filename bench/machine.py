"""The machine that was measured on, and the programs that made the load."""

import os
import platform
import re
import subprocess
from datetime import date
from pathlib import Path

CLIENTS = {"DCMTK": "storescu", "curl": "curl", "wrk": "wrk"}
VERSION = re.compile(r"\d+(\.\d+)+")


def describe(folder: Path) -> dict[str, str]:
    """What a reader must know to judge a figure. folder: where the services kept their files."""
    return {
        "Date": date.today().isoformat(),
        "Processor": f"{_cpu_model()}, {os.cpu_count()} cores",
        "Memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB",
        "Kernel": f"{platform.system()} {platform.release()}",
        "File system": file_system(folder, Path("/proc/self/mountinfo").read_text()),
        "Python": platform.python_version(),
        "Clients": ", ".join(f"{name} {_version(program)}" for name, program in CLIENTS.items()),
    }


def file_system(folder: Path, mountinfo: str) -> str:
    """The type of the file system that holds a folder, from the text of /proc/self/mountinfo, proc(5)."""
    found, longest = "unknown", -1
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        point = Path(before.split()[4])
        if folder.is_relative_to(point) and len(point.parts) > longest:
            found, longest = after.split()[0], len(point.parts)
    return found


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _version(program: str) -> str:
    """What a program says of itself; some say it with a status that is not 0."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    found = VERSION.search(said.stdout + said.stderr)
    return found.group() if found else "of unknown version"
