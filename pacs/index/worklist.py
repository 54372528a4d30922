"""The worklist's door to the index: reading, and changes that last as a whole."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, insert, select

from pacs.errors import ArchiveError, InvalidStep, NotFound, StepConflict, WorkitemConflict
from pacs.index import schema
from pacs.index.engine import Transactions, connected, open_engine
from pacs.index.procedure_steps import PerformedStepRows, ScheduledStepRows
from pacs.index.subscriptions import ReportRows, SubscriptionRows
from pacs.index.workitems import GROUP, WorkitemRows


class WorklistRows:
    """All rows of the worklists, as one connection sees them."""

    def __init__(self, connection: Connection) -> None:
        self.workitems = WorkitemRows(connection)
        self.subscriptions = SubscriptionRows(connection)
        self.reports = ReportRows(connection)
        self.scheduled_steps = ScheduledStepRows(connection)
        self.performed_steps = PerformedStepRows(connection)


class Worklists:
    """The tables of the worklist."""

    def __init__(self, engine: Engine, transactions: Transactions) -> None:
        self._engine = engine
        self._transactions = transactions

    @contextmanager
    def reading(self) -> Iterator[WorklistRows]:
        """For reading. Raises StorageFailed when the index cannot be read."""
        with connected(self._engine) as connection:
            yield WorklistRows(connection)

    @contextmanager
    def changing(self) -> Iterator[WorklistRows]:
        """For changing: nobody else changes anything meanwhile, and all of it is on the device at the end.

        When the context ends with an error, nothing has changed. Raises OutOfSpace or StorageFailed.
        """
        refusal: ArchiveError | None = None
        with self._transactions.begin() as connection:
            try:
                yield WorklistRows(connection)
            except (InvalidStep, NotFound, StepConflict, WorkitemConflict) as error:
                connection.rollback()
                refusal = error  # it leaves the connection sound, which images are stored through, too
        if refusal is not None:
            raise refusal

    def copy_from(self, url: str) -> None:
        """Take over what is in no file from another index of the present form, where this one has none.

        Raises OutOfSpace or StorageFailed.
        """
        other = open_engine(url)
        try:
            with connected(other) as old, self._transactions.begin() as new:
                for table in schema.ONLY_HERE:
                    for page in old.execute(select(table)).mappings().partitions(GROUP):
                        new.execute(insert(table), [dict(row) for row in page])
        finally:
            other.dispose()

    @contextmanager
    def forgetting(self) -> Iterator[WorklistRows]:
        """For changes that a power cut may undo: they are not waited for."""
        with self._transactions.begin_unsynced() as connection:
            yield WorklistRows(connection)
