"""The UIDs of reports that are made here: the same for the same, so that nothing is made twice."""

import uuid

_NAME_SPACE = uuid.UUID("a3c1b6b2-6d0e-4f0e-9a55-6f1f6c8b7d10")


def stable_uid(*parts: str) -> str:
    """A UID that is always the same for the same parts (PS3.5 B.2)."""
    return f"2.25.{uuid.uuid5(_NAME_SPACE, chr(10).join(parts)).int}"


def report_uid(study: str, identity: str) -> str:
    """The SOP Instance UID of the report of a study that has an identity."""
    return stable_uid("report", study, identity)
