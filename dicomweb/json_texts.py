"""The text of each data set in an array of the DICOM JSON model (PS3.18 F.2), as the array streams."""

import re
from collections.abc import Iterable, Iterator

import orjson

from pacs.errors import MalformedObject
from pacs.model import DicomJson

MOST_TEXT = 8 << 20  # bytes of one data set in JSON or XML; bulk data stand elsewhere
MOST_PARTS = 500_000  # objects, arrays and values in it: what its text takes of memory once it is read

# A string whole, or what may begin or end something; a quotation mark alone begins what has yet to come.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|["{}\[\]]', re.DOTALL)
_BETWEEN = re.compile(rb"[\s,]*")


def data_set_texts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The text of each object: those of the array, or the one that stands by itself.

    Raises MalformedObject when there is something else, when it ends too early, and when one is too long.
    """
    splitter = _Splitter()
    for chunk in chunks:
        yield from splitter.feed(chunk)
    splitter.close()


def read_data_set(text: bytes) -> DicomJson:
    """One data set. Raises MalformedObject when it is no JSON, or of too many parts."""
    check_text(text, b"{[,")
    try:
        data_set: DicomJson = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MalformedObject(f"JSON: {error.msg} at character {error.pos} of the data set") from error
    return data_set


def check_text(text: bytes, marks: bytes) -> None:
    """Raise MalformedObject for a text that would take too much memory. marks: one for each of its parts."""
    if len(text) > MOST_TEXT:
        raise _too_long()
    if sum(text.count(mark) for mark in marks) > MOST_PARTS:
        raise _too_many()


def _too_long() -> MalformedObject:
    return MalformedObject(f"the metadata of one data set exceed {MOST_TEXT >> 20} MB")


def _too_many() -> MalformedObject:
    return MalformedObject(f"a data set has more than {MOST_PARTS} values in its metadata")


class _Splitter:
    def __init__(self) -> None:
        self._text = b""
        self._at = 0  # up to where in it the tokens were read
        self._start = 0  # of the object that is being read, or of what lies between objects
        self._depth = 0
        self._opened = 0  # objects and arrays within the object
        self._array = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        self._text = self._text[self._start :] + chunk
        self._at, self._start = self._at - self._start, 0
        for token in _TOKEN.finditer(self._text, self._at):
            mark = token.group() if token.end() - token.start() == 1 else b""
            if mark == b'"':
                self._at = token.start()
                break
            self._at = token.end()
            if mark in (b"{", b"["):
                self._open(mark, token.start())
            elif mark and self._close(mark):
                yield self._text[self._start : self._at]
                self._start = self._at
            elif not self._depth:
                self._only_blank(token.end())
        else:
            self._at = len(self._text)
        if len(self._text) - self._start > MOST_TEXT:
            raise _too_long()

    def _open(self, mark: bytes, at: int) -> None:
        if not self._depth:
            self._only_blank(at)
            if mark == b"[" and not self._array:
                self._array, self._start = True, at + 1
                return
            self._start, self._opened = at, 0
        self._depth += 1
        self._opened += 1
        if self._opened > MOST_PARTS:
            raise _too_many()

    def _close(self, mark: bytes) -> bool:
        """Whether an object is whole with this."""
        if not self._depth:  # of the array
            self._only_blank(self._at - 1)
            self._start = self._at
            return False
        self._depth -= 1
        if not self._depth and (mark != b"}" or self._text[self._start : self._start + 1] != b"{"):
            raise MalformedObject("JSON: the metadata are an array of objects (PS3.18 F.2)")
        return not self._depth

    def _only_blank(self, end: int) -> None:
        if not _BETWEEN.fullmatch(self._text, self._start, end):
            raise MalformedObject("JSON: the metadata are an array of objects (PS3.18 F.2)")

    def close(self) -> None:
        if self._depth:
            raise MalformedObject("JSON: the metadata end within a data set")
        self._only_blank(len(self._text))
