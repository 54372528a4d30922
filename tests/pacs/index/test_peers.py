"""The known systems as they are kept."""

from pathlib import Path

from sqlalchemy import insert

from pacs.index import Index, migrate, schema, sqlite_url
from pacs.index.engine import open_engine
from pacs.model import EVERYTHING, Duplicates, Peer, Permission


def test_all_that_is_known_is_kept(index: Index) -> None:
    peers = [
        Peer("PLAIN", "10.1.2.3", 104),
        Peer("SILENT", "other", 105, may=frozenset()),
        Peer(
            "WHOLE",
            "whole.example.org",
            2762,
            notified=True,
            tls=True,
            may=frozenset({Permission.STORE, Permission.RETRIEVE}),
            move_to=("A B", "C"),
            transfer_syntaxes=("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.1"),
            character_set="\\ISO 2022 IR 87",
            issuer_of_patient_id="HOSPITAL A",
            issuer_of_accession_number="RIS",
            patient_from_worklist=True,
            duplicates=Duplicates.REPLACE,
        ),
    ]
    for one in reversed(peers):
        index.peers.put(one._replace(port=1))
        index.peers.put(one)
    assert index.peers.all() == peers
    assert index.peers.find("WHOLE") == peers[2]
    assert index.peers.find("NOBODY") is None
    assert (index.peers.remove("WHOLE"), index.peers.remove("WHOLE")) == (True, False)


def test_those_that_were_known_before_there_were_rules_may_everything(tmp_path: Path) -> None:
    """Their rows get what the migration says."""
    url = sqlite_url(tmp_path / "index.sqlite")
    migrate(url)
    engine = open_engine(url)
    with engine.begin() as connection:
        row = {"ae_title": "OLD", "host": "10.1.2.3", "port": 104}
        connection.execute(insert(schema.peer).values(row))
    engine.dispose()
    index = Index(url)
    assert index.peers.find("OLD") == Peer("OLD", "10.1.2.3", 104, may=EVERYTHING)
    index.close()
