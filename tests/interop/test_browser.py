"""The page in a browser, on the running service: what a physician sees of what a modality has sent."""

import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Route, expect, sync_playwright
from pydicom import Dataset

from testdata.ct import ct_series
from testdata.dx import chest_xray
from testdata.measurement_report import measurement_report
from testdata.mr import mr_series
from testdata.pdf import encapsulated_pdf
from testdata.us import us_cine
from tests.pacs.dimse.peer import store
from tests.service import Service

PATIENCE = 40_000.0  # milliseconds for what the page shows when it can
MILLIMETRES = re.compile(" mm$")

expect.set_options(timeout=PATIENCE)

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.xdist_group("service")]


@dataclass(frozen=True)
class Sent:
    """The service, and what was sent to it."""

    service: Service
    ct: list[Dataset]
    report: Dataset
    objects: list[Dataset]


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    ct = ct_series(slices=6, rows=128, columns=128)
    report = measurement_report(ct)
    objects = [
        *ct,
        report,
        encapsulated_pdf(),
        *mr_series(slices=3, rows=64, columns=64),
        us_cine(frames=4, rows=96, columns=128),
        chest_xray(rows=128, columns=128),
    ]
    with Service(tmp_path_factory.mktemp("browser") / "data") as service:
        for dataset in objects:
            assert store(service.dimse_port, dataset).Status == 0
        yield Sent(service, ct, report, objects)


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
def page(browser: Browser) -> Iterator[Page]:
    """A new page, which must have nothing to complain of in the end."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def open_study(page: Page, sent: Sent, dataset: Dataset) -> None:
    page.goto(sent.service.url)
    page.locator(f'[data-testid=study-row][data-uid="{dataset.StudyInstanceUID}"]').click()
    expect(page.get_by_test_id("study")).to_be_visible()


def open_series(page: Page, sent: Sent, dataset: Dataset) -> None:
    open_study(page, sent, dataset)
    page.locator(f'[data-testid=series][data-uid="{dataset.SeriesInstanceUID}"]').click()
    # The stage before, which may be of the same series, is gone
    expect(page.locator(".stage-place")).not_to_have_attribute("aria-busy", "true")


def expect_picture(image: Locator) -> None:
    """An image that has arrived and has pixels."""
    expect(image).to_be_visible()
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("image => image.naturalWidth") > 0


def pixels(page: Page) -> str:
    """The picture on the stage, as the browser decoded it."""
    return str(
        page.get_by_test_id("stack")
        .locator("img, canvas")
        .evaluate(
            """image => {
                const canvas = document.createElement("canvas");
                [canvas.width, canvas.height] = [128, 128];
                canvas.getContext("2d").drawImage(image, 0, 0, 128, 128);
                return canvas.toDataURL();
            }"""
        )
    )


def test_studies_are_listed_with_their_thumbnails(page: Page, sent: Sent) -> None:
    page.goto(sent.service.url)
    rows = page.get_by_test_id("study-row")
    expect(rows).to_have_count(4)
    assert {row.get_attribute("data-uid") for row in rows.all()} == {d.StudyInstanceUID for d in sent.objects}
    expect(rows.filter(has_text="Zanòbi, Letìzia")).to_have_count(1)
    for row in rows.all():
        expect_picture(row.locator("img"))


def test_the_search_narrows_the_list(page: Page, sent: Sent) -> None:
    page.goto(sent.service.url)
    rows = page.get_by_test_id("study-row")
    expect(rows).to_have_count(4)
    page.get_by_test_id("search-name").fill("pèsaro")
    expect(rows).to_have_count(2)
    page.get_by_test_id("search-modality").select_option("US")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Ecocardiogramma")
    page.get_by_test_id("search-accession").fill("NOTHING")
    expect(rows).to_have_count(0)
    expect(page.get_by_test_id("notice")).to_be_visible()
    page.get_by_test_id("clear").click()
    expect(rows).to_have_count(4)
    assert "pèsaro" not in page.url


def test_a_ct_is_shown_and_scrolled_through(page: Page, sent: Sent) -> None:
    open_series(page, sent, sent.ct[0])
    stack = page.get_by_test_id("stack")
    expect(stack).to_have_attribute("data-shown", "1")
    expect_picture(stack.locator("img"))
    expect(page.get_by_test_id("position")).to_have_text("1 / 6")
    first = pixels(page)
    page.get_by_test_id("viewport").hover()
    page.mouse.wheel(0, 120)
    expect(stack).to_have_attribute("data-shown", re.compile("^[2-6]$"))
    assert pixels(page) != first
    page.get_by_test_id("slider").fill("6")
    expect(stack).to_have_attribute("data-shown", "6")
    expect(page.get_by_test_id("position")).to_have_text("6 / 6")


def test_another_window_shows_another_picture(page: Page, sent: Sent) -> None:
    open_series(page, sent, sent.ct[0])
    expect(page.get_by_test_id("stack")).to_have_attribute("data-shown", "1")
    first = pixels(page)
    page.get_by_test_id("window-lung").click()
    expect(page.get_by_test_id("stack").locator("img")).to_have_attribute("src", re.compile("window="))
    assert pixels(page) != first


def test_a_film_plays(page: Page, sent: Sent) -> None:
    [cine] = [dataset for dataset in sent.objects if dataset.Modality == "US"]
    open_study(page, sent, cine)
    stack = page.get_by_test_id("stack")
    expect(stack).to_have_attribute("data-shown", "1")
    page.get_by_test_id("play").click()
    expect(stack).to_have_attribute("data-shown", re.compile("^[2-4]$"))


def test_each_image_series_has_a_thumbnail(page: Page, sent: Sent) -> None:
    open_study(page, sent, sent.ct[0])
    tiles = page.get_by_test_id("series")
    expect(tiles).to_have_count(3)
    expect_picture(page.locator(f'[data-uid="{sent.ct[0].SeriesInstanceUID}"] img'))


def wait_for_observations(sent: Sent) -> None:
    path = f"/fhir/Observation?part-of=ImagingStudy/{sent.report.StudyInstanceUID}"
    deadline = time.monotonic() + PATIENCE / 1000
    while not sent.service.get(path).json().get("total"):
        assert time.monotonic() < deadline, "the report was not read"
        time.sleep(0.1)


def numbers(report: Dataset) -> list[str]:
    """The values of the NUM items of a report, as they are written in it."""
    found = []
    for item in report.ContentSequence:
        if item.ValueType == "NUM":
            found.append(str(item.MeasuredValueSequence[0].NumericValue))
        if "ContentSequence" in item:
            found += numbers(item)
    return found


def test_the_measurements_of_a_report_are_a_table(page: Page, sent: Sent) -> None:
    wait_for_observations(sent)
    open_series(page, sent, sent.report)
    expect(page.get_by_test_id("no-picture")).to_be_visible()
    if not page.get_by_test_id("measurements").is_visible():
        page.get_by_test_id("toggle-measurements").click()
    expect(page.get_by_test_id("measurement-group")).to_have_count(3)
    table = page.get_by_test_id("measurements").locator("table")
    told = [row.locator(".value").inner_text() for row in page.get_by_test_id("measurement").all()]
    spoken = [text.split()[0] for text in told if text[:1].isdigit() or text[:1] == "-"]
    assert sorted(map(float, spoken)) == sorted(map(float, numbers(sent.report)))
    for words in ("Nodulo 1", "Aorta discendente", "Polmone sinistro"):
        expect(table).to_contain_text(words)
    assert {badge.inner_text() for badge in page.get_by_test_id("status").all()}


def test_a_pdf_is_shown_within_the_page(page: Page, sent: Sent) -> None:
    [document] = [dataset for dataset in sent.objects if dataset.Modality == "DOC"]
    with page.expect_response(
        lambda answer: "/rendered" in answer.url and document.SeriesInstanceUID in answer.url
    ) as heard:
        open_series(page, sent, document)
    assert heard.value.headers["content-type"] == "application/pdf"
    frame = page.get_by_test_id("pdf")
    expect(frame).to_be_visible()
    assert document.SOPInstanceUID in str(frame.get_attribute("src"))


def test_the_page_speaks_english_and_italian(page: Page, sent: Sent) -> None:
    page.goto(sent.service.url)
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Studies")
    page.get_by_test_id("language-it").click()
    expect(heading).to_have_text("Esami")
    expect(page.locator("html")).to_have_attribute("lang", "it")
    page.reload()
    expect(heading).to_have_text("Esami")
    page.get_by_test_id("language-en").click()
    expect(heading).to_have_text("Studies")


def test_the_address_of_a_study_opens_it(page: Page, sent: Sent) -> None:
    open_series(page, sent, sent.ct[0])
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    expect(page.get_by_test_id("patient-name")).to_have_text("Zanòbi, Letìzia")
    expect(page.get_by_test_id("stack")).to_have_attribute("data-shown", "1")


def test_an_empty_archive_says_how_to_send_something(
    page: Page, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Service(tmp_path_factory.mktemp("empty") / "data", "--aet", "LEER") as service:
        page.goto(service.url)
        welcome = page.get_by_test_id("welcome")
        expect(welcome).to_contain_text("LEER")
        expect(welcome).to_contain_text(str(service.dimse_port))
        expect(welcome).to_contain_text(f"dcmsend -v -nh -aec LEER +sd +r 127.0.0.1 {service.dimse_port}")
        assert store(service.dimse_port, ct_series(slices=1, rows=32, columns=32)[0]).Status == 0
        expect(page.get_by_test_id("study-row")).to_have_count(1)
        page.goto("about:blank")  # before the service ends, so that nothing is asked of it in vain


def draw_line(page: Page, across: int, down: int) -> None:
    """Drag from the middle of the picture."""
    box = page.get_by_test_id("viewport").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + across, y + down, steps=3)
    page.mouse.up()


def test_a_length_is_measured_and_saved_as_a_report(page: Page, sent: Sent) -> None:
    [image, *_] = [dataset for dataset in sent.objects if dataset.Modality == "MR"]
    open_series(page, sent, image)
    expect(page.get_by_test_id("stack")).to_have_attribute("data-shown", "1")
    page.get_by_test_id("ruler").click()
    draw_line(page, 120, 0)
    value = page.get_by_test_id("ruler-value")
    expect(value).to_have_text(re.compile(r"[0-9]+[.][0-9] mm"))
    shown = value.inner_text()
    drawn = page.locator(".ruler-line").bounding_box()
    picture = page.get_by_test_id("stack").locator("img").bounding_box()
    assert drawn is not None and picture is not None
    side = min(picture["width"], picture["height"])
    expected = 120 / side * image.Columns * float(image.PixelSpacing[1])
    assert float(shown.split()[0]) == pytest.approx(expected, rel=0.03)
    page.get_by_test_id("ruler-save").click()
    expect(page.get_by_test_id("measurement").locator(".value")).to_have_text(shown)
    expect(page.get_by_test_id("ruler-layer")).to_be_hidden()
    page.reload()
    expect(page.get_by_test_id("measurement").locator(".value")).to_have_text(shown)
    expect(page.get_by_test_id("measurement-group")).to_have_attribute("data-status", "preliminary")
    expect(page.get_by_test_id("series")).to_have_count(2)


def test_a_line_is_set_with_the_keyboard_and_put_away(page: Page, sent: Sent) -> None:
    open_series(page, sent, sent.ct[0])
    expect(page.get_by_test_id("stack")).to_have_attribute("data-shown", "1")
    page.keyboard.press("l")
    value = page.get_by_test_id("ruler-value")
    expect(value).to_have_text(MILLIMETRES)
    before = float(value.inner_text().split()[0])
    page.keyboard.press("Shift+ArrowRight")
    moved = float(value.inner_text().split()[0])
    assert moved - before == pytest.approx(10 * float(sent.ct[0].PixelSpacing[1]), abs=0.11)
    expect(page.get_by_test_id("stack")).to_have_attribute("data-shown", "1")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("ruler-layer")).to_be_hidden()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_test_id("stack")).to_have_attribute("data-shown", "2")


def test_a_length_that_cannot_be_saved_stays(browser: Browser, sent: Sent) -> None:
    page = browser.new_page(locale="en-GB")
    page.set_default_timeout(PATIENCE)
    open_series(page, sent, sent.ct[0])
    expect(page.get_by_test_id("stack")).to_have_attribute("data-shown", "1")
    page.route("**/fhir/Observation", lambda route: route.abort())
    page.get_by_test_id("ruler").click()
    draw_line(page, 60, 40)
    value = page.get_by_test_id("ruler-value")
    expect(value).to_have_text(MILLIMETRES)
    shown = value.inner_text()
    page.get_by_test_id("ruler-save").click()
    expect(page.get_by_test_id("ruler-message")).to_contain_text("not saved")
    expect(value).to_have_text(shown)
    expect(page.get_by_test_id("ruler-save")).to_be_enabled()
    page.close()


def test_what_is_being_saved_stays_as_it_is_and_is_saved_once(browser: Browser, sent: Sent) -> None:
    page = browser.new_page(locale="en-GB")
    page.set_default_timeout(PATIENCE)
    open_series(page, sent, sent.ct[0])
    expect(page.get_by_test_id("stack")).to_have_attribute("data-shown", "1")
    held: list[Route] = []
    page.route("**/fhir/Observation", lambda route: held.append(route))
    page.get_by_test_id("ruler").click()
    draw_line(page, 60, 40)
    value = page.get_by_test_id("ruler-value")
    expect(value).to_have_text(MILLIMETRES)
    shown = value.inner_text()
    with page.expect_request("**/fhir/Observation"):
        page.get_by_test_id("ruler-save").click()
    draw_line(page, 20, 20)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(value).to_have_text(shown)
    page.keyboard.press("Escape")
    page.get_by_test_id("ruler").click()  # another line, which the answer for the first leaves alone
    (route,) = held
    with page.expect_response("**/fhir/Observation"):
        route.fulfill(status=201, body="{}")
    draw_line(page, 50, 50)
    expect(page.get_by_test_id("ruler-layer")).to_be_visible()
    expect(page.get_by_test_id("ruler-save")).to_be_enabled()
    page.close()


def test_nothing_is_measured_where_no_scale_is_told(page: Page, sent: Sent) -> None:
    [xray] = [dataset for dataset in sent.objects if dataset.Modality == "DX"]
    assert "PixelSpacing" not in xray
    open_series(page, sent, xray)
    expect(page.get_by_test_id("stack")).to_have_attribute("data-shown", "1")
    page.get_by_test_id("ruler").click()
    expect(page.get_by_test_id("ruler-message")).to_contain_text("does not tell its scale")
    draw_line(page, 50, 20)
    expect(page.get_by_test_id("ruler-save")).to_be_disabled()
    expect(page.get_by_test_id("ruler-value")).to_have_text("")


def test_ultrasound_is_measured_within_its_region(page: Page, sent: Sent) -> None:
    [cine] = [dataset for dataset in sent.objects if dataset.Modality == "US"]
    [region] = cine.SequenceOfUltrasoundRegions
    open_series(page, sent, cine)
    expect(page.get_by_test_id("stack")).to_have_attribute("data-shown", "1")
    page.get_by_test_id("ruler").click()
    draw_line(page, 50, 0)
    value = page.get_by_test_id("ruler-value")
    expect(value).to_have_text(MILLIMETRES)
    box = page.get_by_test_id("viewport").bounding_box()
    assert box is not None
    pixels = 50 / min(box["width"] / cine.Columns, box["height"] / cine.Rows)
    assert float(value.inner_text().split()[0]) == pytest.approx(
        pixels * region.PhysicalDeltaX * 10, rel=0.03
    )
    draw_line(page, 0, round(box["height"]))
    expect(page.get_by_test_id("ruler-message")).to_contain_text("within one region")
    expect(page.get_by_test_id("ruler-save")).to_be_disabled()
