"""What is kept of one patient, as SQL."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, or_, select

from fhir_api.answers import Answer
from fhir_api.resource_table import product, report, resource, search_value


@dataclass(frozen=True, slots=True)
class Care:
    """A stretch of time, in seconds since 1970: what was done wholly before or after is not of it."""

    start: float = float("-inf")
    end: float = float("inf")

    def has(self, low: float, high: float) -> bool:
        """Whether a stretch from low to below high is of it in part."""
        return high > self.start and low < self.end


def of_patient(
    connection: Connection,
    identity: str,
    types: Sequence[str],
    since: float,
    care: Care,
    after: int,
    limit: int,
) -> list[tuple[int, Answer]]:
    """What the reports of a patient became, each once, with keys that grow; what has no date is of any time.

    types: those that are wanted.  since: of the last change, seconds since 1970.
    after: the key of the last one that was given.
    """
    keys = select(product.c.resource_key).join(report).where(report.c.patient_identity == identity)
    found = select(resource).where(
        resource.c.key.in_(keys.where(product.c.resource_key > after)),
        # Written so that no index goes by what is not narrow
        func.coalesce(resource.c.type, "").in_(types),
        resource.c.last_updated + 0 >= since,
        ~_is_outside(care),
    )
    return [
        (row.key, Answer(row.type, row.id, row.content, str(row.version), row.last_updated))
        for row in connection.execute(found.order_by(resource.c.key).limit(limit))
    ]


def _is_outside(care: Care) -> ColumnElement[bool]:
    """Whether a resource has a date that is not of this time."""
    mine = search_value.c.resource_key == resource.c.key
    is_date = func.coalesce(search_value.c.name, "") == "date"
    outside = or_(search_value.c.high + 0 <= care.start, search_value.c.low + 0 >= care.end)
    return select(1).where(mine, is_date, outside).exists()
