"""What a request names in its data set: sequences of references (PS3.18 J.1)."""

from dicomweb.request import check_uid
from pacs.model import DicomJson


def sequence(data_set: DicomJson, key: str) -> list[DicomJson]:
    """The items of a sequence, none when it is absent."""
    items: list[DicomJson] = data_set.get(key, {}).get("Value", [])
    return items


def uid_in(data_set: DicomJson, key: str) -> str:
    """Raises InvalidIdentifier, naming the element."""
    values = data_set.get(key, {}).get("Value", [""])
    return check_uid(str(values[0]), key, int(key, 16))
