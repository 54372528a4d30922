"""What a service and its child processes use, from proc(5). A service is all that runs in its session."""

import os
import time
from pathlib import Path

PROC = Path("/proc")
QUIET_SHARE = 0.03
QUIET_SECONDS = 0.5
PATIENCE_SECONDS = 20.0


def of_session(session: int) -> list[int]:
    """The ids of all living processes of a session."""
    return [process for process in _all() if _is_of(session, _stat(process))]


def resident_megabytes(session: int) -> float:
    """Memory of all its processes; what they share is counted for each, so this is never too little."""
    pages = 0
    for process in of_session(session):
        try:
            pages += int((PROC / str(process) / "statm").read_text().split()[1])
        except OSError:
            continue
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def proportional_megabytes(session: int) -> float:
    """The same with what is shared counted once in all; 0 where the kernel does not tell."""
    kilobytes = 0
    for process in of_session(session):
        try:
            rollup = (PROC / str(process) / "smaps_rollup").read_text()
        except OSError:
            continue
        kilobytes += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return kilobytes * 1024 / 1e6


def cpu_seconds(session: int) -> float:
    """Processor time that its living processes have used."""
    ticks = 0
    for process in of_session(session):
        stat = _stat(process)
        ticks += sum(map(int, stat[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def wait_until_quiet(sessions: list[int]) -> None:
    """Return when the disk has what was written and the services rest, at the latest after PATIENCE_SECONDS.

    So that nobody is measured while the machine still works for somebody else.
    """
    os.sync()
    deadline = time.monotonic() + PATIENCE_SECONDS
    before = _used(sessions)
    while time.monotonic() < deadline:
        time.sleep(QUIET_SECONDS)
        now = _used(sessions)
        if now - before <= QUIET_SHARE * QUIET_SECONDS:
            return
        before = now


def _used(sessions: list[int]) -> float:
    return sum(cpu_seconds(session) for session in sessions)


def _all() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]


def _is_of(session: int, stat: list[str]) -> bool:
    return len(stat) > 3 and stat[0] != "Z" and stat[3] == str(session)


def _stat(process: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on (state); empty when the process has ended."""
    try:
        return (PROC / str(process) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
