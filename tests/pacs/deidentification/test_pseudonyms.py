import uuid

from pydicom.uid import UID, CTImageStorage

from pacs.deidentification.pseudonyms import Pseudonyms

SECRET = bytes(range(32))


def test_a_uid_becomes_the_same_uid_each_time() -> None:
    one, same, other = Pseudonyms(SECRET), Pseudonyms(SECRET), Pseudonyms(bytes(32))
    assert one.uid("1.2.3") == same.uid("1.2.3")
    assert len({one.uid("1.2.3"), one.uid("1.2.4"), other.uid("1.2.3")}) == 3


def test_it_is_made_of_a_uuid() -> None:
    """PS3.5 B.2, RFC 9562 5.8."""
    for number in range(200):
        made = Pseudonyms(SECRET).uid(f"1.2.{number}")
        assert UID(made).is_valid
        value = uuid.UUID(int=int(made.removeprefix("2.25.")))
        assert (value.variant, value.version) == (uuid.RFC_4122, 8)


def test_uids_of_the_standard_stay() -> None:
    assert Pseudonyms(SECRET).uid(CTImageStorage) == CTImageStorage
    assert Pseudonyms(SECRET).uid("1.2.840.10008.99.1") != "1.2.840.10008.99.1"  # a device made it up


def test_patients_of_different_issuers_are_different() -> None:
    names = Pseudonyms(SECRET)
    assert names.patient("", "1") == names.patient("", "1")
    assert (
        len({names.patient("", "1"), names.patient("A", "1"), names.patient("A1", ""), names.uid("1")}) == 4
    )
    assert len(names.patient("", "1" * 64)) == 20
