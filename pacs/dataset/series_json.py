"""The data sets of a series as DICOM JSON: what is as it was in the object before is not written anew."""

from pacs.dataset.alike import Alike
from pacs.dataset.dicom_json import BulkDataUri, JsonWriter
from pacs.dataset.elements import Encoding, read_elements
from pacs.model import DicomJson


class SeriesJson:
    """Writes one data set after the other, each as JsonWriter does. For one thread."""

    def __init__(self) -> None:
        self._alike = Alike(None, ())
        self._before: DicomJson = {}

    def write(self, content: bytes, encoding: Encoding, bulk_data_uri: BulkDataUri) -> DicomJson:
        """The elements of a data set. Its values are those of others, too, and not to be changed.

        Raises MalformedObject as `read_elements` does.
        """
        named: list[str] = []

        def uri(path: str) -> str:
            named.append(path)
            return bulk_data_uri(path)

        likeness = self._alike.read(content, encoding, 0, len(content), uri)
        if likeness and likeness.end == len(content):
            written = self._before | likeness.changed
        else:
            written = JsonWriter(content, encoding, uri).write(read_elements(content, encoding).elements)
            if encoding.explicit:  # else what an element means may depend on others
                self._alike.remember(content, encoding, 0, len(content))
        if named:  # what is named by URI has another one in each object
            self._alike.forget()
        self._before = written
        return written
