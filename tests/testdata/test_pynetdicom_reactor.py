"""No response is lost to pynetdicom's own thread, however late that runs."""

import random
import threading
import time
from typing import Any

from pynetdicom import AE

VERIFICATION = "1.2.840.10008.1.1"


class Late(threading.Event):
    """An event whose waiter goes on after a moment, as on a machine with much to do."""

    def wait(self, timeout: float | None = None) -> bool:
        is_set = super().wait(timeout)
        time.sleep(random.random() * 0.006)
        return is_set


def test_each_caller_gets_the_response() -> None:
    scp = AE()
    scp.add_supported_context(VERIFICATION)
    server: Any = scp.start_server(("127.0.0.1", 0), block=False)
    scu = AE()
    scu.dimse_timeout = 20
    scu.add_requested_context(VERIFICATION)
    try:
        for _ in range(6):
            association = scu.associate("127.0.0.1", server.socket.getsockname()[1])
            association._reactor_checkpoint = Late()
            association._reactor_checkpoint.set()
            assert all("Status" in association.send_c_echo() for _ in range(60))
            association.release()
    finally:
        server.shutdown()
