"""Keeping what reports became: FHIR resources with their versions, and what a search compares."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, delete, func, insert, select, update

from fhir_api import patient_record, resource_search, versions
from fhir_api.answers import Answer
from fhir_api.conditions import Condition, Window
from fhir_api.journal import create_table
from fhir_api.patient_record import Care
from fhir_api.replacing import Made, Replacement
from fhir_api.resource_table import mapping, metadata, report, resource, unmapped
from fhir_api.versions import Wanted
from pacs.index.engine import Transactions, connected, open_engine
from sr.ledger import Unmapped

# To be raised whenever the same report becomes other resources, or the tables or search parameters change:
# all that is kept is then dropped and made again.
MAPPING_VERSION = 10


@dataclass(frozen=True, slots=True)
class Origin:
    """The report that resources are made of. patient_identity: the archive's, of 64 hexadecimal digits."""

    sop_instance_uid: str
    study_instance_uid: str
    patient_identity: str


@dataclass(frozen=True, slots=True)
class Counts:
    """What is kept: reports, resources by type, and content items that became nothing by reason."""

    reports: int
    resources: dict[str, int]
    unmapped: dict[str, int]


def prepare(url: str) -> None:
    """Create the tables, anew when another mapping made what they hold.

    One process does this, before all others. Raises StorageFailed.
    url: as SQLAlchemy writes it, of a database of its own.
    """
    engine = open_engine(url)
    transactions = Transactions(engine)
    try:
        with transactions.begin() as connection:
            mapping.create(connection, checkfirst=True)
            create_table(connection)
            if connection.scalar(select(mapping.c.version)) != MAPPING_VERSION:
                first = versions.highest(connection) + 1
                metadata.drop_all(connection)
                metadata.create_all(connection)
                row = {"version": MAPPING_VERSION, "is_fresh": True, "first_version": first}
                connection.execute(insert(mapping), row)
    finally:
        transactions.close()
        engine.dispose()


class ResourceStore:
    """The kept resources. Made anew in each process, after `prepare`; safe for threads.

    All that it does raises StorageFailed when the database cannot be read or written.
    """

    def __init__(self, url: str) -> None:
        """url: the same that was prepared."""
        self._engine: Engine = open_engine(url)
        self._transactions = Transactions(self._engine)

    @property
    def is_fresh(self) -> bool:
        """Whether all reports have to be read again: nothing is kept, and `begin` was not called since."""
        with connected(self._engine) as connection:
            return bool(connection.scalar(select(mapping.c.is_fresh)))

    def begin(self) -> None:
        """Note that the reports are being read again from the first: their follower starts over."""
        with self._transactions.begin() as connection:
            connection.execute(update(mapping).values(is_fresh=False))

    def replace(
        self,
        origin: Origin,
        resources: Sequence[Made],
        left_over: Sequence[Unmapped] = (),
        sequence: int | None = None,
    ) -> bool:
        """Put what a report became in the place of what it had become before, in one transaction.

        resources: as the mapper gives them; they are not changed.  left_over: items that became nothing.
        sequence: of the change feed, to note in the journal what was made or changed; None to note nothing.
        Returns False, and changes nothing, when it became the same before. A resource that changed has its
        version raised, and what it was is kept; one that no report becomes any more is withdrawn.
        Raises StorageFailed or OutOfSpace.
        """
        replacement = Replacement(origin.sop_instance_uid, resources, left_over)
        row = {
            "sop_instance_uid": origin.sop_instance_uid,
            "study_instance_uid": origin.study_instance_uid,
            "patient_identity": origin.patient_identity,
            "digest": replacement.digest,
        }
        known = select(report).where(report.c.sop_instance_uid == origin.sop_instance_uid)
        with connected(self._engine) as connection:
            kept = connection.execute(known).mappings().one_or_none()
        if kept is not None and dict(kept) == row:
            return False
        with self._transactions.begin() as connection:
            if connection.execute(known).one_or_none() is None:
                connection.execute(insert(report), row)
            else:
                same = report.c.sop_instance_uid == origin.sop_instance_uid
                connection.execute(update(report).where(same).values(row))
            replacement.write(connection, sequence)
        return True

    def withdraw(self, study_instance_uid: str, sop_instance_uid: str) -> None:
        """Remove what a report became that its study has no longer, but for what others became, too."""
        mine = (report.c.sop_instance_uid == sop_instance_uid) & (
            report.c.study_instance_uid == study_instance_uid
        )
        with self._transactions.begin() as connection:
            if connection.execute(select(report.c.digest).where(mine)).first() is not None:
                Replacement(sop_instance_uid, (), ()).write(connection)
                connection.execute(delete(report).where(mine))

    def reports(self, study_instance_uid: str) -> set[str]:
        """The SOP Instance UIDs of the reports of a study that were mapped."""
        rows = select(report.c.sop_instance_uid).where(report.c.study_instance_uid == study_instance_uid)
        with connected(self._engine) as connection:
            return set(connection.scalars(rows))

    def of_study(self, study_instance_uid: str) -> list[bytes]:
        """What the reports of a study became, each once, as JSON."""
        with connected(self._engine) as connection:
            return resource_search.of_study(connection, study_instance_uid)

    def of_patient(
        self, identity: str, types: Sequence[str], since: float, care: Care, after: int, limit: int
    ) -> list[tuple[int, Answer]]:
        """What the reports of a patient became, as `patient_record.of_patient` has it."""
        with connected(self._engine) as connection:
            return patient_record.of_patient(connection, identity, types, since, care, after, limit)

    def read(self, resource_type: str, resource_id: str) -> Answer | None:
        """One resource, or None."""
        with connected(self._engine) as connection:
            return resource_search.read(connection, resource_type, resource_id)

    def is_withdrawn(self, resource_type: str, resource_id: str) -> bool:
        """Whether there was such a resource, and is no more."""
        with connected(self._engine) as connection:
            return versions.is_withdrawn(connection, resource_type, resource_id)

    def past(self, resource_type: str, resource_id: str, version: str) -> Answer | None:
        """A version before the present one, or None; without content where it withdrew the resource."""
        with connected(self._engine) as connection:
            return versions.read(connection, resource_type, resource_id, version)

    def history(self, wanted: Wanted) -> list[Answer]:
        """Versions, the newest first; without content those by which a resource was withdrawn."""
        with connected(self._engine) as connection:
            return versions.page(connection, wanted)

    def page(self, resource_type: str, conditions: Sequence[Condition], window: Window) -> list[Answer]:
        """The matches in the window; those that are alike in the order in which they were first kept."""
        with connected(self._engine) as connection:
            return resource_search.page(connection, resource_type, conditions, window)

    def count(self, resource_type: str, conditions: Sequence[Condition]) -> int:
        """How many match."""
        with connected(self._engine) as connection:
            return resource_search.count(connection, resource_type, conditions)

    def last_key(self) -> int:
        """Where `in_order` ends now, once whoever is writing has written."""
        with self._transactions.begin() as connection:
            return connection.scalar(select(func.max(resource.c.key))) or 0

    def in_order(
        self, resource_type: str, after: int, last: int, since: float | None, limit: int
    ) -> list[tuple[int, bytes]]:
        """Keys and contents of the next resources of a type, in the order of being kept.

        after, last: keys, the second included.  since: only what changed later, in seconds since 1970.
        """
        with connected(self._engine) as connection:
            return resource_search.in_order(connection, resource_type, after, last, since, limit)

    def counts(self) -> Counts:
        """How much is kept."""
        with connected(self._engine) as connection:
            reports = connection.scalar(select(func.count()).select_from(report)) or 0
            by_type = connection.execute(select(resource.c.type, func.count()).group_by(resource.c.type))
            by_reason = connection.execute(
                select(unmapped.c.reason, func.count()).group_by(unmapped.c.reason)
            )
            return Counts(
                reports,
                {name: number for name, number in by_type},
                {why: number for why, number in by_reason},
            )

    def unmapped(self, sop_instance_uid: str) -> list[tuple[str, str]]:
        """Position and reason of each content item of a report that became nothing."""
        rows = select(unmapped.c.position, unmapped.c.reason).where(
            unmapped.c.sop_instance_uid == sop_instance_uid
        )
        with connected(self._engine) as connection:
            return [(position, reason) for position, reason in connection.execute(rows)]

    def close(self) -> None:
        """Close all connections."""
        self._transactions.close()
        self._engine.dispose()
