"""OHIF, where it is installed, on the running service: what a radiologist sees of what was sent."""

import base64
import io
import os
import shutil
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pydicom import Dataset
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from testdata.compressed import compressed
from testdata.ct import ct_series
from testdata.measurement_report import measurement_report
from testdata.pdf import encapsulated_pdf, pdf_document
from testdata.segmentation import nodule_segmentation
from testdata.studies import uid
from testdata.us import us_cine
from testdata.written_report import heart_report
from tests.pacs.dimse.peer import store
from tests.service import Service
from viewer.ohif import is_installed

OHIF = Path(os.environ.get("DIAFANA_TEST_OHIF", Path(__file__).parents[2] / "data" / "ohif"))
PATIENCE = 40_000.0  # milliseconds for what OHIF shows when it can
SYNTAXES = (JPEG2000Lossless, JPEGLSLossless, RLELossless)

pytestmark = [
    pytest.mark.needs("chromium"),
    pytest.mark.skipif(
        not is_installed(OHIF),
        reason=f"OHIF is not in {OHIF}: run `diafana ohif install`, or name its folder by DIAFANA_TEST_OHIF",
    ),
    pytest.mark.xdist_group("service"),
]


@dataclass(frozen=True)
class Sent:
    """The service, and what was sent to it."""

    service: Service
    ct: list[Dataset]
    cine: Dataset
    document: Dataset

    def address(self, study: str) -> str:
        return f"{self.service.url}/ohif/viewer?StudyInstanceUIDs={study}"


def in_its_own_study(image: Dataset, transfer_syntax_uid: str) -> Dataset:
    """The same picture as another study of another patient, compressed."""
    copy = deepcopy(image)
    copy.PatientID = uid(transfer_syntax_uid)[-12:]
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"):
        setattr(copy, keyword, uid("ohif", transfer_syntax_uid, copy[keyword].value))
    copy.file_meta.MediaStorageSOPInstanceUID = copy.SOPInstanceUID
    return compressed(copy, transfer_syntax_uid)


def long_document() -> Dataset:
    """A PDF that is too long to come with the metadata."""
    dataset = encapsulated_pdf()
    document = pdf_document("Referto", [f"Riga {number}: {number**7}" for number in range(200)])
    dataset.EncapsulatedDocumentLength = len(document)
    dataset.EncapsulatedDocument = document + b"\x00" * (len(document) % 2)
    return dataset


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    ct = ct_series(slices=6, rows=128, columns=128)
    cine, document = us_cine(frames=4, rows=96, columns=128), long_document()
    others = [in_its_own_study(ct[0], syntax) for syntax in SYNTAXES]
    data = tmp_path_factory.mktemp("ohif") / "data"
    data.mkdir()
    (data / "ohif").symlink_to(OHIF.resolve())
    with Service(data) as service:
        reports = measurement_report(ct), heart_report(), document
        for dataset in (*ct, *reports, nodule_segmentation(ct), cine, *others):
            assert store(service.dimse_port, dataset).Status == 0
        yield Sent(service, ct, cine, document)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, sent: Sent) -> Iterator[Page]:
    """A new page, which in the end has asked nobody but the service, and has had every answer."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1400, "height": 900})
    context.set_default_timeout(PATIENCE)
    complaints: list[str] = []
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on(
        "console", lambda message: complaints.append(message.text) if message.type == "error" else None
    )
    ours = (sent.service.url, "blob:", "data:", "chrome")
    context.on(
        "request",
        lambda request: None if request.url.startswith(ours) else complaints.append(request.url),
    )
    yield context.new_page()
    context.close()
    assert complaints == []


def rgb(png: bytes) -> np.ndarray:
    """(rows, columns, RGB)"""
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def shown_by(page: Page, is_as_wanted: Callable[[np.ndarray], bool]) -> np.ndarray:
    """What OHIF has drawn, without the text over it, once it is as wanted and does not change any more."""
    canvas = page.locator(".cornerstone-canvas")
    deadline = time.monotonic() + PATIENCE / 1000
    before = ""
    while True:
        now = str(canvas.evaluate("canvas => canvas.toDataURL()"))
        picture = rgb(base64.b64decode(now.partition(",")[2]))
        if now == before and is_as_wanted(picture):
            return picture
        assert time.monotonic() < deadline, "this never came on the screen"
        before = now
        time.sleep(0.2)


def is_picture(shown: np.ndarray) -> bool:
    """Dark, grey and bright, and much of it."""
    grey = shown.mean(axis=2)
    return bool((grey > 200).mean() > 0.01 and ((grey > 60) & (grey < 200)).mean() > 0.05)


def coloured(shown: np.ndarray) -> float:
    """The part of it that is clearly of a colour."""
    return float((np.ptp(shown, axis=2) > 60).mean())


def open_series(page: Page, description: str) -> None:
    """Once all that came before is there: OHIF stumbles over images that come for a viewport of the past."""
    page.wait_for_load_state("networkidle")
    page.get_by_text(description).first.dblclick()


def test_the_list_leads_to_it(page: Page, sent: Sent) -> None:
    page.goto(sent.service.url)
    row = page.get_by_role("listitem").filter(has=page.locator(f'[data-uid="{sent.ct[0].StudyInstanceUID}"]'))
    with page.context.expect_page() as opened:
        row.get_by_role("link", name="Open in OHIF").click()
    shown_by(opened.value, is_picture)
    expect(opened.value.get_by_text("(1/6)")).to_be_visible(timeout=PATIENCE)


def test_each_transfer_syntax_is_the_same_picture(page: Page, sent: Sent) -> None:
    page.goto(sent.address(sent.ct[0].StudyInstanceUID))
    stored = shown_by(page, is_picture)
    for syntax in SYNTAXES:
        page.goto(sent.address(uid("ohif", syntax, sent.ct[0].StudyInstanceUID)))
        shown = shown_by(page, is_picture)
        assert np.abs(shown - stored).max() == 0, syntax.name


def test_a_film_of_an_ultrasound_is_shown(page: Page, sent: Sent) -> None:
    page.goto(sent.address(sent.cine.StudyInstanceUID))
    first = shown_by(page, lambda now: coloured(now) > 0.002)
    expect(page.get_by_text("(1/4)")).to_be_visible(timeout=PATIENCE)
    page.locator(".cornerstone-canvas").hover()
    page.mouse.wheel(0, 120)
    expect(page.get_by_text("(2/4)")).to_be_visible(timeout=PATIENCE)
    shown_by(page, lambda now: coloured(now) > 0.002 and not np.array_equal(now, first))


def test_a_segmentation_lies_over_its_images(page: Page, sent: Sent) -> None:
    page.goto(sent.address(sent.ct[0].StudyInstanceUID))
    assert coloured(shown_by(page, is_picture)) == 0
    open_series(page, "Segmentazione del nod")
    shown = shown_by(page, lambda now: is_picture(now) and coloured(now) > 0)
    assert coloured(shown) < 0.01


def test_the_measurements_of_a_report_are_written_beside_their_places(page: Page, sent: Sent) -> None:
    page.goto(sent.address(sent.ct[0].StudyInstanceUID))
    shown_by(page, is_picture)
    open_series(page, "Misure TC torace")
    first = page.locator("svg").get_by_text("Long axis: ").first
    deadline = time.monotonic() + PATIENCE / 1000
    while not first.is_visible():  # at times OHIF draws them only after it has been scrolled
        assert time.monotonic() < deadline, "no measurement came on the screen"
        time.sleep(1)
        page.locator(".cornerstone-canvas").hover()
        page.mouse.wheel(0, 120)
        time.sleep(0.5)
        page.mouse.wheel(0, -120)
    for words in ("Diameter: 25.00 mm", "Descending aorta"):
        expect(page.locator("svg").get_by_text(words).first).to_be_visible(timeout=PATIENCE)
    shown_by(page, is_picture)


def test_a_measurement_is_drawn_and_kept(page: Page, sent: Sent) -> None:
    study = uid("ohif", SYNTAXES[0], sent.ct[0].StudyInstanceUID)
    page.goto(sent.address(study))
    shown_by(page, is_picture)
    page.wait_for_load_state("networkidle")
    page.locator("[data-cy=MeasurementTools-split-button-primary]").click()
    page.mouse.move(700, 300)
    page.mouse.down()
    page.mouse.move(800, 350, steps=5)
    page.mouse.up()
    page.get_by_role("button", name="Yes").click()  # whether to follow this measurement
    page.locator("[data-cy^=trackedMeasurements-btn]").click()
    page.get_by_text("Create SR").click()
    with page.expect_response(lambda answer: answer.request.method == "POST") as heard:
        page.get_by_role("dialog").get_by_role("button", name="Save").click()
    assert heard.value.status == 200
    found = sent.service.get(f"/dicom-web/studies/{study}/series?Modality=SR").json()
    assert [one["0008103E"]["Value"] for one in found] == [["Create Report"]]


def test_the_text_of_another_report_is_shown(page: Page, sent: Sent) -> None:
    page.goto(sent.address(sent.cine.StudyInstanceUID))
    shown_by(page, lambda now: coloured(now) > 0.002)
    open_series(page, "Echocardiography Report")
    expect(page.get_by_text("Left Ventricular Ejection Fraction by US: 61 %")).to_be_visible(timeout=PATIENCE)


def test_a_pdf_is_shown(page: Page, sent: Sent) -> None:
    page.goto(sent.address(sent.document.StudyInstanceUID))
    shown_by(page, is_picture)
    with page.expect_response(lambda answer: sent.document.SOPInstanceUID in answer.url) as heard:
        open_series(page, "Referto TC torace")
    assert heard.value.url.endswith("/rendered")
    assert heard.value.headers["content-type"] == "application/pdf"
    viewport = page.locator("object[type='application/pdf']")
    deadline = time.monotonic() + PATIENCE / 1000
    while (rgb(viewport.screenshot()) > 250).mean() < 0.2:  # the paper
        assert time.monotonic() < deadline, "the document never came on the screen"
        time.sleep(0.2)
