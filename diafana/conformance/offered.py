"""What the real services offer and use, made over an empty archive."""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydicom.uid import UID

from diafana.settings import Settings
from diafana.web import services
from diafana.wiring import DICOMWEB_ROOT, Parts, all_offered
from dicomweb.transaction import Transaction
from pacs.changes import Bell
from pacs.dimse.offer import Offer
from pacs.dimse.uses import USES, Use
from pacs.index import migrate, sqlite_url


class Offered(NamedTuple):
    """Services as rows of the tables that run them.

    transactions: of DICOMweb, with their whole paths.  uri: the one of the URI Service.
    offers: of DICOM networking.
    """

    transactions: tuple[Transaction, ...]
    uri: Transaction
    offers: tuple[Offer, ...]


@cache
def offered() -> Offered:
    """All of them, with the settings that are the default."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder))
        migrate(sqlite_url(settings.index_path))
        settings.derived.mkdir()
        parts = Parts(settings, Bell(settings.bell))
        try:
            dicomweb, _ = services(parts)
            offers = all_offered(parts)
        finally:
            parts.close()
    transactions = tuple(replace(t, path=DICOMWEB_ROOT + t.path) for t in dicomweb.transactions)
    return Offered(transactions, dicomweb.uri_service, offers)


def in_chapter(*sections: str) -> list[Transaction]:
    """The transactions of sections of PS3.18, such as "10.4", or of whole chapters, such as "11"."""
    wanted = tuple(f"{section}." for section in sections)
    return [t for t in offered().transactions if f"{t.section}.".startswith(wanted)]


class Role(NamedTuple):
    """A SOP class, and which parts we have in it."""

    name: str
    uid: str
    is_user: bool
    is_provider: bool


def roles() -> Iterator[Role]:
    """Of all SOP classes but those of storage."""
    users = {uid for uid, is_provider in _parts() if not is_provider}
    providers = {uid for uid, is_provider in _parts() if is_provider}
    for uid in dict.fromkeys(uid for uid, _ in _parts()):
        yield Role(UID(uid).name, uid, uid in users, uid in providers)


def _parts() -> Iterator[tuple[str, bool]]:
    """SOP classes, and whether we are the SCP."""
    for offer in offered().offers:
        for uid in offer.sop_classes:
            yield uid, not offer.is_from_provider
    for use in USES:
        for uid in use.sop_classes:
            yield uid, use.is_provider


Row = TypeVar("Row", Offer, Use)


def of_message(rows: Iterable[Row], message: str, sop_classes: tuple[str, ...]) -> Iterator[Row]:
    """Those of a message in any of these SOP classes; without them that of the storage classes."""
    for row in rows:
        if row.name == message and (
            row.sop_classes == sop_classes or not set(sop_classes).isdisjoint(row.sop_classes)
        ):
            yield row
