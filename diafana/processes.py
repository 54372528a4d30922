"""One service out of several processes: a supervisor that does no work, and the processes that it forks.

Everything heavy is imported before the fork, so that the processes share the memory of it.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog

RESTART_DELAY = 1.0  # seconds before a process that died is started again

_SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = structlog.get_logger()


@dataclass(frozen=True)
class Role:
    """A kind of process. main: what it does; given a function to call once it is ready."""

    name: str
    main: Callable[[Callable[[], None]], None]


class Termination:
    """Whether this process was told to end, by SIGTERM.

    A signal may come at any moment, also while the one before is heeded, so that no lock may be taken here
    (threading.Event would).
    """

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        """then: called with each signal; it takes no lock either."""
        self._told = False
        self._then = then
        signal.signal(signal.SIGTERM, self._tell)

    def _tell(self, *_: object) -> None:
        self._told = True
        self._then()

    def is_set(self) -> bool:
        """Whether it was."""
        return self._told


class Supervisor:
    """Forks a process for each role, starts it again when it dies, and ends all when it is told to.

    Made and run in the main thread of a process without other threads.
    """

    def __init__(self, roles: list[Role], on_death: Callable[[int], None]) -> None:
        """on_death: called with the number of each process that has ended."""
        self._roles = roles
        self._on_death = on_death
        self._running: dict[int, Role] = {}
        self._stopping = False
        # The processes hold the reading end: when the supervisor dies, however, they see it and leave.
        self._lifeline, self._hold = os.pipe()

    def run(self, on_ready: Callable[[], None]) -> bool:
        """Run all until SIGTERM or SIGINT. on_ready: called when all are ready.

        Returns whether it came so far.
        """
        for number in _SIGNALS:
            signal.signal(number, self._stop)
        is_ready = all([self._start(role) for role in self._roles])
        if is_ready:
            on_ready()
        elif not self._stopping:
            self._stop()
        while self._running:
            pid, status = os.wait()
            role = self._running.pop(pid)
            self._on_death(pid)
            if not self._stopping:
                log.error("process died", role=role.name, status=os.waitstatus_to_exitcode(status))
                time.sleep(RESTART_DELAY)
                self._start(role)
        for number in _SIGNALS:  # one that came while the interpreter finishes would be how this ended
            signal.signal(number, signal.SIG_IGN)
        return is_ready

    def _start(self, role: Role) -> bool:
        """Start a process; returns whether it became ready."""
        ready, tell = os.pipe()
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        pid = os.fork() if not self._stopping else -1
        if pid == 0:
            self._become(role, tell)
        if pid > 0:
            self._running[pid] = role
        os.close(tell)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        became_ready = os.read(ready, 1) == b"!"
        os.close(ready)
        return became_ready

    def _become(self, role: Role, tell: int) -> None:
        """Be the process of this role, and end with it."""
        status = 1
        try:
            os.setpgid(0, 0)  # Ctrl-C reaches the supervisor alone, which passes it on as SIGTERM
            os.close(self._hold)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            threading.Thread(target=self._leave_with_supervisor, daemon=True).start()
            role.main(lambda: _write(tell))
            status = 0
        except Exception:  # the edge of a process: whatever it is, the log must tell
            log.exception("process failed", role=role.name)
        finally:
            os._exit(status)

    def _leave_with_supervisor(self) -> None:
        os.read(self._lifeline, 1)
        os._exit(1)

    def _stop(self, *_: object) -> None:
        self._stopping = True
        for pid in list(self._running):
            with suppress(ProcessLookupError):  # it has ended, and is about to be struck off
                os.kill(pid, signal.SIGTERM)


def _write(descriptor: int) -> None:
    os.write(descriptor, b"!")
    os.close(descriptor)
