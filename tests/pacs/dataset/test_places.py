"""Finding values without reading those between."""

import pytest
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pacs.dataset.elements import read_elements
from pacs.dataset.places import places
from pacs.dataset.transfer_syntax import encoding_of
from pacs.errors import MalformedObject
from testdata.ct import ct_series
from testdata.measurement_report import measurement_report
from testdata.pdf import encapsulated_pdf
from tests.sr.files import encoded

REPORT = measurement_report(ct_series(slices=3, rows=32, columns=32))


@pytest.mark.parametrize("window", [8, 100, 1 << 20])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("dataset", [REPORT, encapsulated_pdf()], ids=["report", "document"])
def test_they_are_those_of_the_whole(dataset: object, syntax: UID, window: int) -> None:
    content = encoded(dataset, syntax)  # type: ignore[arg-type]
    buffer = b"before" + content
    found = places(
        lambda offset, length: buffer[offset : offset + length],
        encoding_of(syntax),
        len(b"before"),
        len(buffer),
        window,
    )
    whole = read_elements(content, encoding_of(syntax)).elements
    assert list(found) == [(one.tag, one.offset + len(b"before"), one.length) for one in whole]


def test_a_long_value_is_not_read() -> None:
    content = encoded(encapsulated_pdf(), ExplicitVRLittleEndian)
    length = 0xFFFFFFFE
    head = content[: content.index(b"%PDF") - 4] + length.to_bytes(4, "little")
    asked: list[int] = []

    def read(offset: int, wanted: int) -> bytes:
        asked.append(wanted)
        return (head + bytes(wanted))[offset : offset + wanted] if offset < len(head) else bytes(wanted)

    end = len(head) + length
    assert [tag for tag, *_ in places(read, encoding_of(ExplicitVRLittleEndian), 0, end)][-1] == 0x00420011
    assert sum(asked) < 1 << 20


@pytest.mark.parametrize("cut", [1, 5, 300])
def test_what_is_cut_off_is_refused(cut: int) -> None:
    content = encoded(REPORT, ExplicitVRLittleEndian)[:-cut]
    with pytest.raises(MalformedObject):
        list(
            places(lambda o, n: content[o : o + n], encoding_of(ExplicitVRLittleEndian), 0, len(content), 50)
        )
