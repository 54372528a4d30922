"""From settings to the parts, each given the few values that it needs."""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from ssl import SSLContext

from diafana.deletion_followers import deletion_followers
from diafana.settings import Settings
from dicomweb.thumbnails import thumbnail_follower
from fhir_api.bulk.exporter import Exporter
from fhir_api.bulk.exports import Exports
from fhir_api.journal import Journal
from fhir_api.push.content import study_content
from fhir_api.push.courier import DryRun, PushCourier, push_follower
from fhir_api.push.outbox import PushOutbox
from fhir_api.reports import report_follower
from fhir_api.resources import Resources
from fhir_api.store import ResourceStore
from fhir_api.subscriptions.courier import SubscriptionCourier, study_follower
from fhir_api.subscriptions.service import Subscriptions as FhirSubscriptions
from fhir_api.subscriptions.store import SubscriptionStore
from pacs.archive import Archive
from pacs.availability import availability_follower
from pacs.changes import Bell, Follower
from pacs.commitment import Commitment
from pacs.dimse import Limits
from pacs.dimse.admission import Gate, Rules
from pacs.dimse.availability_courier import availability
from pacs.dimse.courier import Courier
from pacs.dimse.message_courier import MessageCourier
from pacs.dimse.n_action import Desk
from pacs.dimse.offer import Offer, Offers
from pacs.dimse.offered import offered
from pacs.dimse.step_courier import STEPS
from pacs.dimse.teller import Teller
from pacs.dimse.tls import ClientCertificate, TlsFiles, accepting, calling
from pacs.doorbell import ring
from pacs.files import DiskFiles
from pacs.files.derived import DerivedFiles
from pacs.forwarding.follower import forward_followers
from pacs.index import Index, sqlite_url
from pacs.model import Level, Peer
from pacs.procedure_steps.orders import Orders
from pacs.procedure_steps.performed import PerformedSteps
from pacs.procedure_steps.scheduled import ScheduledSteps
from pacs.worklist.subscriptions import Subscriptions
from pacs.worklist.worklist import Worklist

DICOMWEB_ROOT = "/dicom-web"
FILES_AHEAD = 32  # empty files that each process keeps ready for what arrives


class Parts:
    """The parts of one process, made as they are asked for. Made anew after a fork."""

    def __init__(self, settings: Settings, bell: Bell) -> None:
        self.settings = settings
        self._bell = bell

    @cached_property
    def files(self) -> DiskFiles:
        """Where the objects are."""
        return DiskFiles(self.settings.data, FILES_AHEAD)

    @cached_property
    def derived(self) -> DerivedFiles:
        """Where what can be made again is."""
        return DerivedFiles(self.settings.derived)

    @cached_property
    def index(self) -> Index:
        """What is known of the objects."""
        return Index(sqlite_url(self.settings.index_path))

    @cached_property
    def archive(self) -> Archive:
        """The one door to them."""
        return Archive(
            self.files, self.derived, self.index, self.settings.aet, DICOMWEB_ROOT, self._bell.ring
        )

    @cached_property
    def worklist(self) -> Worklist:
        """The work items."""
        settings = self.settings
        return Worklist(
            self.index.worklist, settings.aet, settings.worklist_days, partial(ring, settings.doorbells)
        )

    @cached_property
    def subscriptions(self) -> Subscriptions:
        """Who is told what happens to them."""
        return Subscriptions(self.index.worklist, partial(ring, self.settings.doorbells))

    @cached_property
    def scheduled_steps(self) -> ScheduledSteps:
        """What modalities are to do."""
        return ScheduledSteps(self.index.worklist)

    @cached_property
    def performed_steps(self) -> PerformedSteps:
        """What modalities did."""
        settings, told = self.settings, self.settings.mpps_forward
        ring = self.step_bell.ring if told else lambda: None
        return PerformedSteps(self.index.worklist, settings.worklist_days, told, ring)

    @cached_property
    def orders(self) -> Orders:
        """What a RIS orders of modalities."""
        return Orders(self.index.worklist)

    @cached_property
    def tls_calling(self) -> SSLContext:
        """How systems are called that want TLS. Raises CannotUseTls."""
        return calling(tls_files(self.settings), self.settings.tls_check_host)

    @cached_property
    def outbox_bell(self) -> Bell:
        """What rings when something is asked to be sent."""
        return Bell(self.settings.outbox_bell)

    def ring(self) -> None:
        """Wake the followers, and who sends."""
        self._bell.ring()
        self.outbox_bell.ring()

    @cached_property
    def commitment_bell(self) -> Bell:
        """What rings when a peer wants something to be committed."""
        return Bell(self.settings.commitment_bell)

    @cached_property
    def desk(self) -> Desk:
        """Where peers ask for it."""
        return Desk(self.index.commitment_requests, self.settings.commitment_doors, self.commitment_bell.ring)

    @cached_property
    def step_bell(self) -> Bell:
        """What rings when others are to be told of a performed step."""
        return Bell(self.settings.step_bell)

    @cached_property
    def availability_bell(self) -> Bell:
        """What rings when others are to be told which instances are available."""
        return Bell(self.settings.availability_bell)

    def know(self, peer: Peer) -> None:
        """Know a system, and wake who has something to send or tell it."""
        self.index.peers.put(peer)
        for bell in (self.outbox_bell, self.commitment_bell, self.step_bell, self.availability_bell):
            bell.ring()

    @cached_property
    def push_outbox(self) -> PushOutbox:
        """Which studies another FHIR server is to be sent."""
        settings = self.settings
        is_dry = settings.fhir_push_dry_run
        return PushOutbox(sqlite_url(settings.fhir_push_dry_run_path if is_dry else settings.fhir_push_path))

    @cached_property
    def push_bell(self) -> Bell:
        """What rings when there is one more."""
        return Bell(self.settings.fhir_push_bell)

    @cached_property
    def push_courier(self) -> PushCourier:
        """Who sends them."""
        from fhir_api.push.server import FhirServer  # httpx costs a tenth of a second, and few need it

        settings = self.settings
        content = partial(study_content, self.archive, self.resources)
        token = settings.fhir_push_token.get_secret_value()
        server = DryRun() if settings.fhir_push_dry_run else FhirServer(settings.fhir_push, token)
        return PushCourier(self.push_outbox, content, server, self.push_bell)

    @cached_property
    def journal(self) -> Journal:
        """Which resources were made or changed."""
        return Journal(sqlite_url(self.settings.fhir_path))

    @cached_property
    def subscription_store(self) -> SubscriptionStore:
        """Who is told of them."""
        return SubscriptionStore(sqlite_url(self.settings.fhir_subscriptions_path))

    @cached_property
    def subscription_bell(self) -> Bell:
        """What rings when somebody is to be told something."""
        return Bell(self.settings.fhir_subscriptions_bell)

    @cached_property
    def fhir_subscriptions(self) -> FhirSubscriptions:
        """What clients do with FHIR subscriptions."""
        return FhirSubscriptions(
            self.subscription_store,
            self.settings.fhir_subscription_endpoints,
            self.index.tasks.newest,
            self.subscription_bell.ring,
        )

    @cached_property
    def subscription_courier(self) -> SubscriptionCourier:
        """Who tells subscribers."""
        from fhir_api.subscriptions.hook import RestHook  # httpx costs a tenth of a second, and few need it

        return SubscriptionCourier(
            self.journal,
            self.subscription_store,
            Resources(self.archive, self.resources),
            RestHook(),
            self.subscription_bell,
            self.settings.fhir_subscription_endpoints,
        )

    @cached_property
    def exports_bell(self) -> Bell:
        """What rings when an export is asked for."""
        return Bell(self.settings.exports_bell)

    @cached_property
    def exports(self) -> Exports:
        """Exports of the FHIR resources."""
        return Exports(self.settings.exports, self.exports_bell.ring)

    @cached_property
    def exporter(self) -> Exporter:
        """Who writes them."""
        return Exporter(self.exports, self.archive, self.resources, self.exports_bell)

    @cached_property
    def commitment(self) -> Commitment:
        """What looks at stored objects again."""
        return Commitment(self.files, self.index)

    @cached_property
    def resources(self) -> ResourceStore:
        """The FHIR resources that reports became."""
        return ResourceStore(sqlite_url(self.settings.fhir_path))

    def close(self) -> None:
        """Close what was made."""
        made = self.__dict__
        for name in ("files", "index", "resources", "push_outbox", "journal", "subscription_store"):
            if name in made:
                made[name].close()


def dimse_limits(settings: Settings) -> Limits:
    """What peers may do over DICOM networking."""
    return Limits(
        associations=settings.maximum_associations,
        from_one_address=settings.maximum_associations_per_address,
        idle_time=settings.association_idle_seconds,
    )


def dimse_offers(parts: Parts) -> Offers:
    """What they may ask for."""
    settings = parts.settings
    rules = Rules(settings.unknown_peers, settings.called, settings.called_otherwise)
    gate = Gate(rules, parts.index.peers.find)
    return Offers(all_offered(parts), settings.accept_unknown_sop_classes, gate)


def all_offered(parts: Parts) -> tuple[Offer, ...]:
    """The services as rows of a table."""
    return offered(
        parts.index,
        parts.settings.aet,
        parts.desk,
        parts.outbox_bell.ring,
        parts.scheduled_steps,
        parts.performed_steps,
        parts.tls_calling,
    )


def tls_files(settings: Settings) -> TlsFiles:
    """What TLS is made of."""
    return TlsFiles(settings.tls_certificate, settings.tls_key, settings.tls_authorities)


def tls_accepting(settings: Settings) -> SSLContext | None:
    """How those are answered who call by TLS; None when there is no port for them. Raises CannotUseTls."""
    if settings.dimse_tls_port is None:
        return None
    return accepting(tls_files(settings), ClientCertificate(settings.tls_client_certificate))


def courier_bells(parts: Parts) -> list[Bell]:
    """What wakes them."""
    settings = parts.settings
    pushing = [parts.push_bell] if settings.fhir_push else []
    telling = [parts.subscription_bell] if settings.fhir_subscription_endpoints else []
    noted = [parts.outbox_bell, parts.commitment_bell, parts.step_bell, parts.availability_bell]
    return [*noted, parts.exports_bell, *pushing, *telling]


def couriers(parts: Parts) -> list[Callable[[Callable[[], bool]], None]]:
    """Who sends, tells and exports, each in a thread of its own until it is told that it is time to stop."""
    settings = parts.settings
    sending = Courier(parts.archive, parts.index, settings.aet, parts.outbox_bell, parts.tls_calling).run
    pushing = [parts.push_courier.run] if settings.fhir_push else []
    telling = [parts.subscription_courier.run] if settings.fhir_subscription_endpoints else []
    committing = Teller(
        parts.desk, parts.index.peers, parts.commitment, parts.commitment_bell, parts.tls_calling
    ).run
    return [sending, committing, *_message_couriers(parts), parts.exporter.run, *pushing, *telling]


def _message_couriers(parts: Parts) -> list[Callable[[Callable[[], bool]], None]]:
    """Who tells other systems of performed steps, and of what is available."""
    index, aet = parts.index, parts.settings.aet
    return [
        MessageCourier(kind, queue, index.peers, aet, bell, parts.tls_calling).run
        for kind, queue, bell in (
            (STEPS, index.step_outbox, parts.step_bell),
            (availability(aet), index.notices, parts.availability_bell),
        )
    ]


def followers(parts: Parts) -> list[Follower]:
    """All that is made from what was stored."""
    archive, rest = parts.archive, parts.settings.rest_seconds
    pushing = (
        [push_follower(parts.push_outbox, parts.push_bell.ring, rest)] if parts.settings.fhir_push else []
    )
    ring = parts.subscription_bell.ring if parts.settings.fhir_subscription_endpoints else None
    telling = [study_follower(parts.journal, ring, rest)] if ring is not None else []
    return [
        *deletion_followers(archive, parts.settings),
        Follower(
            name="series metadata",
            level=Level.SERIES,
            rest=rest,
            wants=lambda _: True,
            work=lambda task: archive.keep_series_metadata(task.study_instance_uid, task.series_instance_uid),
        ),
        report_follower(archive, parts.resources, ring),
        replace(thumbnail_follower(archive, parts.derived), rest=rest),
        *forward_followers(archive, parts.index, rest, parts.outbox_bell.ring),
        availability_follower(parts.index, parts.performed_steps, rest, parts.availability_bell.ring),
        *pushing,
        *telling,
    ]
