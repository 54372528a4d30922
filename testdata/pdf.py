"""A report as a document: Encapsulated PDF Storage (PS3.3 A.45.1)."""

import zlib

from pydicom import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import EncapsulatedPDFStorage

from testdata.composite import composite
from testdata.content_items import coded
from testdata.studies import CHEST_CT, Study

_TITLE = "Referto TC torace"
_TEXT = (
    "Esame eseguito prima e dopo somministrazione endovenosa di mezzo di contrasto.",
    "",
    "Al lobo superiore destro si riconosce un nodulo solido a margini spiculati, di circa 16 mm.",
    "Non altre lesioni nodulari. Non versamento pleurico né pericardico.",
    "Aorta toracica di calibro regolare. Non linfonodi ingranditi in sede mediastinica.",
    "",
    "Conclusioni: nodulo polmonare destro sospetto. È indicata una valutazione pneumologica.",
)


def encapsulated_pdf(study: Study = CHEST_CT, *, series_number: int = 95) -> Dataset:
    """One page of text about the study, with the exact length of the document beside its padded value."""
    document = pdf_document(_TITLE, _lines(study))
    dataset = composite(study, EncapsulatedPDFStorage, "DOC", series_number, 1)
    dataset.SeriesDescription = _TITLE
    dataset.ConversionType = "WSD"
    dataset.ContentDate, dataset.ContentTime = study.date, study.time
    dataset.AcquisitionDateTime = study.date + study.time
    dataset.BurnedInAnnotation = "YES"
    dataset.DocumentTitle = _TITLE
    dataset.ConceptNameCodeSequence = [coded(Code("18748-4", "LN", "Diagnostic imaging report"))]
    dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
    dataset.EncapsulatedDocumentLength = len(document)
    dataset.EncapsulatedDocument = document + b"\x00" * (len(document) % 2)
    return dataset


def pdf_document(title: str, lines: list[str]) -> bytes:
    """A PDF 1.4 file of one A4 page: a title and lines of Latin-1 text in Helvetica (ISO 32000-1 7.5)."""
    text = [f"BT /F1 18 Tf 60 770 Td ({_escaped(title)}) Tj ET", "BT /F1 11 Tf 16 TL 60 730 Td"]
    text += [f"({_escaped(line)}) Tj T*" for line in lines]
    stream = zlib.compress("\n".join([*text, "ET"]).encode("latin-1"), 9)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    body = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    entries = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + entries
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(body))
    return body + table + trailer


def _lines(study: Study) -> list[str]:
    family, given = study.patient.name.split("^")
    day = f"{study.date[6:]}/{study.date[4:6]}/{study.date[:4]}"
    return ["Ospedale di Prova - Radiologia", f"Paziente: {family} {given}", f"Esame del {day}", "", *_TEXT]


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
