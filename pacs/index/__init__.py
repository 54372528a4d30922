"""What is known of the stored objects; the only room with SQL."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from sqlalchemy import Engine

from pacs.index import lookup
from pacs.index.commitment_requests import Asked, CommitmentRequests, Owed, Result
from pacs.index.commitments import Commitments
from pacs.index.deletions import Deletions
from pacs.index.engine import Transactions, open_engine, sqlite_url
from pacs.index.forwarding import Forwarding, Progress
from pacs.index.hierarchy import Record
from pacs.index.message_queue import Message, MessageQueue
from pacs.index.migrate import migrate
from pacs.index.non_patient import NonPatientInstances
from pacs.index.notices import Availability, InstanceState, Notices
from pacs.index.outbox import Due, Outbox, Sending
from pacs.index.peers import Peers
from pacs.index.remove import Recycled, Reference, Removal, Remover
from pacs.index.replacing import Replacement, Replacer
from pacs.index.rows import SearchValue, search_values
from pacs.index.schema.messages import step_message
from pacs.index.search import Search
from pacs.index.sent_commitments import Asking, SentCommitments
from pacs.index.subscriptions import Filter, Waiting
from pacs.index.tasks import Backlog, Plan, Task, Tasks
from pacs.index.values import path_name
from pacs.index.worklist import WorklistRows, Worklists
from pacs.index.write import KeptFile, Verdict, Writer
from pacs.model import Found, Instance, Kept
from pacs.query import Query

__all__ = [
    "Asked",
    "Asking",
    "Availability",
    "Backlog",
    "CommitmentRequests",
    "Commitments",
    "Due",
    "Filter",
    "Forwarding",
    "Index",
    "InstanceState",
    "KeptFile",
    "Message",
    "MessageQueue",
    "NonPatientInstances",
    "Notices",
    "Outbox",
    "Owed",
    "Peers",
    "Plan",
    "Progress",
    "Record",
    "Recycled",
    "Reference",
    "Removal",
    "Remover",
    "Replacement",
    "Replacer",
    "Result",
    "SearchValue",
    "Sending",
    "SentCommitments",
    "Task",
    "Tasks",
    "Verdict",
    "Waiting",
    "WorklistRows",
    "Worklists",
    "Writer",
    "migrate",
    "path_name",
    "search_values",
    "sqlite_url",
]


class Index:
    """The index at one address. Made anew in each process; connections are opened as they are needed."""

    def __init__(self, url: str) -> None:
        """url: as SQLAlchemy writes it; `sqlite_url` makes one from a path."""
        self._engine: Engine = open_engine(url)
        self._transactions = Transactions(self._engine)
        self._search = Search(self._engine)

    @cached_property
    def writer(self) -> Writer:
        """The writer of this process."""
        return Writer(self._engine, self._transactions, self.deletions)

    @cached_property
    def remover(self) -> Remover:
        """What removes instances."""
        return Remover(self._engine, self._transactions, self.deletions)

    @cached_property
    def replacer(self) -> Replacer:
        """What puts an object into the place of another."""
        return Replacer(self._engine, self._transactions, self.deletions)

    @cached_property
    def deletions(self) -> Deletions:
        """How often something was deleted, by any process."""
        database = self._engine.url.database if self._engine.dialect.name == "sqlite" else None
        return Deletions(Path(f"{database}-deletions") if database else None)

    @cached_property
    def tasks(self) -> Tasks:
        """The durable side of the followers."""
        return Tasks(self._engine, self._transactions)

    @cached_property
    def worklist(self) -> Worklists:
        """The work items, who is told of them, and the procedure steps."""
        return Worklists(self._engine, self._transactions)

    @cached_property
    def non_patient(self) -> NonPatientInstances:
        """What belongs to no patient."""
        return NonPatientInstances(self._engine)

    @cached_property
    def commitments(self) -> Commitments:
        """What was answered to requests for storage commitment."""
        return Commitments(self._engine, self._transactions)

    @cached_property
    def commitment_requests(self) -> CommitmentRequests:
        """What peers want to be committed over DICOM networking."""
        return CommitmentRequests(self._engine, self._transactions)

    @cached_property
    def sent_commitments(self) -> SentCommitments:
        """What peers are asked to commit to."""
        return SentCommitments(self._engine, self._transactions)

    @cached_property
    def peers(self) -> Peers:
        """The systems that are known."""
        return Peers(self._engine, self._transactions)

    @cached_property
    def step_outbox(self) -> MessageQueue:
        """What other systems are still to be told of performed steps."""
        return MessageQueue(self._engine, self._transactions, step_message, "attributes")

    @cached_property
    def notices(self) -> Notices:
        """What known systems are still to be told of instances that are available."""
        return Notices(self._engine, self._transactions)

    @cached_property
    def outbox(self) -> Outbox:
        """What is asked to be sent to them."""
        return Outbox(self._engine, self._transactions)

    @cached_property
    def forwarding(self) -> Forwarding:
        """What is sent to them by itself."""
        return Forwarding(self._engine, self._transactions)

    def prepare(self) -> None:
        """What makes the first images as cheap to store as those that follow. Raises StorageFailed."""
        self._transactions.lengthen_log()

    def search(self, query: Query) -> Iterator[Found]:
        """All answers to a query, in its order."""
        return self._search.search(query)

    def few(self, query: Query) -> list[Found] | None:
        """All answers of a search for studies, if an index on this machine leads to few of them."""
        return self._search.few(query)

    def kept(self, query: Query) -> Iterator[Kept]:
        """What is kept of the instances that a query finds, in its order."""
        return self._search.kept(query)

    def count_answers(self, query: Query) -> int:
        """How many answers a query has, without regard to its limit and offset."""
        return self._search.count(query)

    def instances(self, study: str, series: str | None = None, instance: str | None = None) -> list[Instance]:
        """The instances below these UIDs, by series number and instance number; none when there are none."""
        return lookup.find_instances(self._engine, study, series, instance)

    def instances_by_uid(self, uids: list[str]) -> dict[str, Instance]:
        """The instances with these SOP Instance UIDs, by them; a thousand at most at once."""
        return lookup.instances_by_uid(self._engine, uids) | self.non_patient.by_uid(uids)

    def first_instance(self, study: str, series: str | None = None) -> Instance | None:
        """The first of the instances below these UIDs; None when there are none."""
        return next(iter(lookup.find_instances(self._engine, study, series, None, limit=1)), None)

    def series_versions(self, study: str, series: str | None = None) -> list[tuple[str, int]]:
        """Series Instance UIDs with the sequence of the last change in each, by series number."""
        return lookup.series_versions(self._engine, study, series)

    def known_files(self, keys: list[str]) -> set[str]:
        """Which of these files the index names, those of deleted instances among them."""
        return lookup.known_files(self._engine, keys)

    def walk(self) -> Iterator[Instance]:
        """Every instance in the order of their files, those that belong to no patient after the others."""
        yield from lookup.walk(self._engine)
        yield from self.non_patient.walk()

    def newest_file(self) -> str:
        """The greatest key of a file that the index names; empty when it names none."""
        return lookup.newest_file(self._engine)

    def count(self) -> int:
        """How many instances there are."""
        return lookup.count(self._engine)

    def close(self) -> None:
        """Close all connections."""
        self._transactions.close()
        self.deletions.close()
        self._engine.dispose()
