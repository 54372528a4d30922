"""What is told of a rule and of how it stands, on the command line and on the web."""

import time
from typing import Any

from pacs.index import Progress
from pacs.model import ForwardRule


def told(rule: ForwardRule, progress: Progress) -> dict[str, Any]:
    """As JSON has it; times are in the time of the place."""
    due = None
    if progress.due is not None:
        due = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(max(progress.due, time.time())))
    return {
        "name": rule.name,
        "destination": rule.destination,
        "from": rule.source,
        "keys": [f"{name}={value}" for name, value in rule.keys],
        "hours": rule.hours,
        "bytes_per_second": rule.bytes_per_second,
        "at_once": rule.is_prompt,
        "paused": rule.is_paused,
        "waiting": progress.waiting,
        "sent": progress.sent,
        "failed": progress.failed,
        "next": due,
        "error": progress.error,
    }
