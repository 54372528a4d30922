"""Follows the change feed for the rules: what fits one is asked to be sent, once."""

import time
from collections.abc import Callable
from uuid import uuid4

import structlog

from pacs.archive import Archive
from pacs.attributes import BY_TAG
from pacs.changes import Follower, Interest
from pacs.errors import ArchiveError, NotFound
from pacs.forwarding.hours import next_open
from pacs.index import Index, Task
from pacs.keys import parse_named
from pacs.model import Action, Change, ForwardRule, Instance, Level
from pacs.query import Criterion, OneOf, Query

AT_REST, PROMPT = "forwarding", "prompt forwarding"

_SOP_INSTANCE_UID = "00080018"
_STUDY_UID, _SERIES_UID = BY_TAG[0x0020000D], BY_TAG[0x0020000E]

log = structlog.get_logger()


def forward_followers(
    archive: Archive, index: Index, rest: float, on_request: Callable[[], None]
) -> list[Follower]:
    """One for rules that wait until a series has come to rest, and one for those that do not.

    rest: seconds without change.  on_request: called when there is something to be sent.
    """
    followers = []
    for is_prompt in (False, True):
        forwarder = Forwarder(archive, index, is_prompt, on_request)
        name, wait = (PROMPT, 0.0) if is_prompt else (AT_REST, rest)
        followers.append(Follower(name, Level.SERIES, wait, forwarder.wants, forwarder.forward))
    return followers


def follower_of(rule: ForwardRule) -> str:
    """The name of the follower that works for a rule."""
    return PROMPT if rule.is_prompt else AT_REST


class Forwarder:
    """Works for the rules of one kind."""

    def __init__(
        self, archive: Archive, index: Index, is_prompt: bool, on_request: Callable[[], None]
    ) -> None:
        self._archive = archive
        self._index = index
        self._is_prompt = is_prompt
        self._on_request = on_request
        self._interest = Interest(index.tasks, lambda: bool(self._rules()))

    def wants(self, change: Change) -> bool:
        """Whether there is a rule for it; without any, storing is followed by nothing."""
        return self._interest(change) and change.action is Action.CREATED

    def _rules(self) -> list[ForwardRule]:
        return [rule for rule in self._index.forwarding.rules() if rule.is_prompt == self._is_prompt]

    def forward(self, task: Task) -> None:
        """Ask for what is new in a series to be sent. Raises what failed, when all rules had their turn."""
        failed: ArchiveError | None = None
        for rule in self._rules():
            try:
                instances = self._found(rule, task.study_instance_uid, task.series_instance_uid)
                if instances:
                    self._ask(rule, instances)
            except ArchiveError as error:
                failed = error
        if failed is not None:
            raise failed

    def _ask(self, rule: ForwardRule, instances: list[Instance]) -> None:
        uid = f"2.25.{uuid4().int}"
        self._index.forwarding.ask(rule, uid, instances, next_open(rule.hours, time.time()))
        log.info("forwarding", rule=rule.name, instances=len(instances), transaction=uid)
        self._on_request()

    def _found(self, rule: ForwardRule, study: str, series: str) -> list[Instance]:
        instances = self._index.forwarding.unasked(rule, study, series)
        if instances and rule.keys:
            here = Criterion(_STUDY_UID, OneOf((study,))), Criterion(_SERIES_UID, OneOf((series,)))
            query = Query(Level.INSTANCE, (*here, *parse_named(rule.keys)))
            fitting = {one.get(_SOP_INSTANCE_UID)["Value"][0] for one in self._archive.search(query)}
            instances = [one for one in instances if one.sop_instance_uid in fitting]
        return [one for one in instances if self._comes_from(rule, one)]

    def _comes_from(self, rule: ForwardRule, instance: Instance) -> bool:
        """Whether it comes from where the rule says; and never back to who has sent it."""
        try:
            source = self._archive.sending_ae_title(instance)
        except NotFound:  # its file was lost: when it is received again, this is asked again
            return False
        return source != rule.destination and rule.source in ("", source)
