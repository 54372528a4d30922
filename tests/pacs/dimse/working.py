"""Couriers at work while a test is."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pacs.changes import Bell

Run = Callable[[Callable[[], bool]], None]


@contextmanager
def at_work(run: Run, bell: Bell) -> Iterator[None]:
    """run: works until it is told, and its bell rings, that it is time to stop."""
    stopping = threading.Event()
    thread = threading.Thread(target=run, args=(stopping.is_set,))
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        bell.ring()
        thread.join()
