"""Keeps pynetdicom's own thread from taking away a response that its caller waits for.

An association of pynetdicom 3.0.4 has a thread that takes in messages, and a caller who sends a request stops
it first. The thread may go on once more after it was asked to stop: then it takes the response and drops it,
and the caller waits until the time is over, 30 seconds. Here it looks once more whether it may go on.
"""

from pynetdicom.association import Association


def mend() -> None:
    """For all associations of this process."""
    Association._is_paused = property(_is_paused, _pause)  # type: ignore[assignment]


def _is_paused(self: Association) -> bool:
    return bool(self.__dict__.get("is_paused"))


def _pause(self: Association, is_paused: bool) -> None:
    """The flag goes down before the checkpoint is looked at, so that one of both sides sees the other."""
    self.__dict__["is_paused"] = is_paused
    while not is_paused and not self._reactor_checkpoint.is_set():
        self.__dict__["is_paused"] = True
        self._reactor_checkpoint.wait()
        self.__dict__["is_paused"] = False
