"""The page's own reading of DICOM and FHIR, run in a browser under the page's rules."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")

pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason="Chromium is not installed at /usr/bin/chromium"
)


@pytest.fixture(scope="module")
def page(origin: str) -> Iterator[Page]:
    """A browser on a page of the server's that runs no script of its own, but under the same rules."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        page = browser.new_page(locale="it-IT")
        page.goto(f"{origin}/settings.json")
        speak(page, "it")
        yield page
        browser.close()


def call(page: Page, module: str, expression: str, argument: object = None) -> Any:
    """The value of a JavaScript expression in which `m` is the module and `x` the argument."""
    code = f"async (x) => {{ const m = await import('/static/{module}.js'); return {expression}; }}"
    return page.evaluate(code, argument)


def speak(page: Page, language: str) -> None:
    call(page, "i18n", "m.loadLanguage(x)", language)


def element(vr: str, *values: object) -> dict[str, object]:
    return {"vr": vr, "Value": list(values)}


@pytest.mark.parametrize(
    ("name", "spoken"),
    [
        ({"Alphabetic": "ROSSI^MARIA GRAZIA"}, "ROSSI, MARIA GRAZIA"),
        (
            {"Alphabetic": "Adams^John Robert Quincy^^Rev.^B.A. M.Div."},
            "Adams, John Robert Quincy B.A. M.Div.",
        ),
        ({"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎"}, "Yamada, Tarou (山田 太郎)"),
        ({"Ideographic": "山田^太郎"}, "山田 太郎"),
        ({"Alphabetic": "^^^"}, ""),
        ({}, ""),
    ],
)
def test_names_are_said_family_first(page: Page, name: dict[str, str], spoken: str) -> None:
    assert call(page, "dicom", "m.personName(x, '00100010')", {"00100010": element("PN", name)}) == spoken


def test_an_absent_name_is_empty(page: Page) -> None:
    assert call(page, "dicom", "m.personName({'00100010': {vr: 'PN'}}, '00100010')") == ""


def test_dates_and_times_are_in_the_readers_form(page: Page) -> None:
    dates = call(page, "dicom", "x.map(m.formatDate)", ["20260318", "1998.02.03", "soon"])
    times = call(page, "dicom", "x.map(m.formatTime)", ["0905", "164000.1", ""])
    assert dates == ["18 mar 2026", "3 feb 1998", "soon"]
    assert times == ["09:05", "16:40", ""]


def test_age_is_counted_to_the_day(page: Page) -> None:
    said = "[['19580415', '20260414'], ['19580415', '20260415'], ['', '20260415'], ['20270101', '20260101']]"
    assert call(page, "dicom", f"{said}.map((pair) => m.ageInYears(...pair))") == [67, 68, None, None]


@pytest.mark.parametrize(
    ("filters", "keys"),
    [
        ({}, {}),
        ({"name": " rossi,  mar "}, {"PatientName": "*rossi*mar*"}),
        ({"name": "*"}, {}),
        ({"patient": "12 3", "accession": "A1"}, {"PatientID": "12?3*", "AccessionNumber": "A1*"}),
        ({"from": "2026-03-01"}, {"StudyDate": "20260301-"}),
        ({"to": "2026-03-01"}, {"StudyDate": "-20260301"}),
        ({"from": "2026-03-09", "to": "2026-03-01"}, {"StudyDate": "20260301-20260309"}),
        ({"modality": "CR,DX"}, {"ModalitiesInStudy": "CR,DX"}),
    ],
)
def test_the_search_becomes_qido_keys(page: Page, filters: dict[str, str], keys: dict[str, str]) -> None:
    assert call(page, "api", "Object.fromEntries(m.studyKeys(x))", filters) == keys


@pytest.mark.parametrize(
    ("text", "is_uid"), [("1.2.3", True), ("", False), ("1/../2", False), ("1" * 65, False)]
)
def test_only_uids_become_part_of_an_address(page: Page, text: str, is_uid: bool) -> None:
    assert call(page, "api", "m.isUid(x)", text) is is_uid


def test_rendered_addresses_name_frame_and_window(page: Page, origin: str) -> None:
    picture = {"study": "1.2", "series": "1.3", "instance": "1.4", "frame": 7}
    assert call(page, "api", "m.rendered(x, '40,400,linear')", picture) == (
        f"{origin}/dicom-web/studies/1.2/series/1.3/instances/1.4/frames/7/rendered?window=40%2C400%2Clinear"
    )


def series_of(modality: str) -> dict[str, object]:
    return {
        "00080060": element("CS", modality),
        "0020000D": element("UI", "1"),
        "0020000E": element("UI", "1.1"),
    }


def test_each_frame_is_a_picture(page: Page) -> None:
    instances = [
        {"00080018": element("UI", "1.1.1"), "00280010": element("US", 480), "00280008": element("IS", 3)},
        {"00080018": element("UI", "1.1.2"), "00280010": element("US", 480)},
    ]
    pictures = call(page, "pictures", "m.picturesOf(...x)", [series_of("US"), instances])
    assert [(p["instance"], p.get("frame"), p["number"], p["kind"]) for p in pictures] == [
        ("1.1.1", 1, 1, "image"),
        ("1.1.1", 2, 1, "image"),
        ("1.1.1", 3, 1, "image"),
        ("1.1.2", None, 2, "image"),
    ]


@pytest.mark.parametrize(
    ("modality", "instance", "kind"),
    [
        ("DOC", {"00080016": element("UI", "1.2.840.10008.5.1.4.1.1.104.1")}, "pdf"),
        ("OT", {"00080016": element("UI", "1.2.840.10008.5.1.4.1.1.104.1")}, "pdf"),
        (
            "ES",
            {"00083002": element("UI", "1.2.840.10008.1.2.4.102"), "00280010": element("US", 720)},
            "video",
        ),
        ("SR", {}, "none"),
        ("CT", {}, "image"),
    ],
)
def test_what_can_be_shown_of_an_object(
    page: Page, modality: str, instance: dict[str, object], kind: str
) -> None:
    [picture] = call(page, "pictures", "m.picturesOf(...x)", [series_of(modality), [instance]])
    assert picture["kind"] == kind


@pytest.mark.parametrize(
    ("metadata", "rate"),
    [({}, 10), ({"00181063": element("DS", 40)}, 25), ({"00180040": element("IS", 30)}, 30)],
)
def test_films_play_at_the_rate_of_their_device(page: Page, metadata: dict[str, object], rate: int) -> None:
    assert call(page, "pictures", "m.framesPerSecond(x)", metadata) == rate


def concept(text: str, code: str = "x") -> dict[str, object]:
    return {"coding": [{"code": code, "display": text}]}


def observation(id_: str, name: str, **members: object) -> dict[str, object]:
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "preliminary",
        "code": concept(name),
        **members,
    }


def test_measurements_are_told_by_group(page: Page) -> None:
    group = observation(
        "g",
        "Imaging measurement group",
        valueCodeableConcept=concept("Mass"),
        bodySite={"text": "Upper lobe of lung, Left"},
        identifier=[{"type": concept("Tracking Identifier", "112039"), "value": "Lesion 1"}],
        hasMember=[{"reference": f"Observation/{name}"} for name in "abc"],
    )
    members = [
        observation(
            "a", "Diameter", valueQuantity={"value": "12.50", "unit": "mm"}, method=concept("Manual")
        ),
        observation("b", "Margin", valueCodeableConcept=concept("Spiculated")),
        observation("c", "Volume", dataAbsentReason=concept("Value unknown")),
    ]
    [told] = call(page, "observations", "m.groupObservations(x, new Map())", [*members, group])
    heading = {name: told[name] for name in ("id", "tracking", "finding", "site", "status")}
    assert heading == {
        "id": "g",
        "tracking": "Lesion 1",
        "finding": "Mass",
        "site": "Upper lobe of lung, Left",
        "status": "preliminary",
    }
    assert [(row["name"], row["value"], row["details"]) for row in told["rows"]] == [
        ("Diameter", "12,50 mm", ["Metodo: Manual"]),
        ("Margin", "Spiculated", []),
        ("Volume", "nessun valore: Value unknown", []),
    ]


def test_values_outside_groups_are_not_lost(page: Page) -> None:
    dose = observation(
        "d",
        "Radiation dose summary",
        valueString="",
        component=[
            {"code": concept("DLP"), "valueQuantity": {"value": 412.7, "code": "mGy.cm"}},
            {"code": concept("CTDIvol"), "valueQuantity": {"value": 8.3, "unit": "mGy"}},
        ],
    )
    score = observation("s", "Score", valueQuantity={"value": 3, "code": "1"}, bodySite=concept("Heart"))
    dose_group, rest = call(page, "observations", "m.groupObservations(x, new Map())", [score, dose])
    assert [(row["name"], row["value"]) for row in dose_group["rows"]] == [
        ("DLP", "412,7 mGy·cm"),
        ("CTDIvol", "8,3 mGy"),
    ]
    assert rest["id"] is None
    assert [(row["id"], row["value"], row["details"]) for row in rest["rows"]] == [("s", "3", ["Heart"])]


@pytest.mark.parametrize(
    "said",
    [
        {"bodySite": {"text": "Kidney, Left"}, "component": []},
        {
            "bodySite": concept("Kidney"),
            "component": [
                {"code": concept("Laterality", "272741003"), "valueCodeableConcept": concept("Left")}
            ],
        },
        {
            "bodySite": {
                **concept("Kidney"),
                "extension": [
                    {
                        "url": "http://hl7.org/fhir/StructureDefinition/bodySite",
                        "valueReference": {"reference": "BodyStructure/k"},
                    }
                ],
            }
        },
    ],
)
def test_the_side_is_found_wherever_it_is_said(page: Page, said: dict[str, object]) -> None:
    structure = {"location": concept("Kidney"), "locationQualifier": [concept("Left")]}
    expression = "m.siteText(x[0], new Map([['BodyStructure/k', x[1]]]))"
    assert call(page, "observations", expression, [said, structure]) == "Kidney, Left"


def test_decimals_keep_their_digits(page: Page) -> None:
    parsed = call(
        page, "fhir", "m.parseFhir(x)", '{"valueQuantity": {"value": 1.20, "unit": "mm"}, "total": 3}'
    )
    assert parsed == {"valueQuantity": {"value": "1.20", "unit": "mm"}, "total": 3}


def test_what_patients_are_called_never_becomes_markup(page: Page) -> None:
    hostile = '<img src=x onerror="window.hurt=1">'
    made = call(
        page,
        "dom",
        """(() => {
            const element = m.el('p', {class: 'name', title: x}, x);
            document.body.append(element);
            return [element.childElementCount, element.textContent, element.title, window.hurt ?? null];
        })()""",
        hostile,
    )
    assert made == [0, hostile, hostile, None]


def test_the_rules_of_the_page_stop_foreign_scripts(page: Page) -> None:
    script = """(() => {
        const script = document.createElement('script');
        script.textContent = 'window.hurt = 2';
        document.head.append(script);
        return window.hurt ?? null;
    })()"""
    assert page.evaluate(script) is None


def test_every_module_can_be_loaded(page: Page, origin: str) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{origin}/?study=../not-a-uid")
    page.wait_for_selector("[data-testid=notice]")
    page.click("[data-testid=language-it]")
    page.wait_for_selector("html[lang=it]")
    assert re.search(r"non è nell'archivio", page.inner_text("[data-testid=notice]"))
    assert complaints == []


@pytest.mark.parametrize(
    ("quantity", "spoken"),
    [
        ({"value": "2062.3", "unit": "cubic millimeter", "code": "mm3"}, "2062,3 mm³"),
        ({"value": "20.5", "unit": "Hounsfield unit", "code": "[hnsf'U]"}, "20,5 HU"),
        ({"value": "9581", "unit": "no units", "code": "1"}, "9581"),
        ({"value": "3", "unit": "events", "code": "{events}"}, "3 events"),
        ({"value": "4", "code": "cm2"}, "4 cm²"),
        ({"value": "4", "unit": "mm2"}, "4 mm²"),
    ],
)
def test_units_are_written_as_people_write_them(page: Page, quantity: dict[str, str], spoken: str) -> None:
    assert call(page, "observations", "m.valueText({valueQuantity: x})", quantity) == spoken


def test_a_dose_summary_says_its_components_once(page: Page) -> None:
    summary = observation(
        "d",
        "Radiation dose summary",
        valueString="DLP: 412.7 mGy.cm; CTDIvol: 8.3 mGy",
        component=[
            {"code": concept("DLP"), "valueQuantity": {"value": 412.7, "code": "mGy.cm"}},
            {"code": concept("CTDIvol"), "valueQuantity": {"value": 8.3, "unit": "mGy"}},
        ],
    )
    summary["code"] = concept("Radiation exposure", "73569-6")
    [group] = call(page, "observations", "m.groupObservations(x, new Map())", [summary])
    assert [(row["name"], row["value"], row["details"]) for row in group["rows"]] == [
        ("DLP", "412,7 mGy·cm", []),
        ("CTDIvol", "8,3 mGy", []),
    ]


@pytest.mark.parametrize(("modality", "asked"), [("CT", 1), ("SR", 0)])
def test_only_a_study_that_may_have_pictures_is_asked_for_one(page: Page, modality: str, asked: int) -> None:
    study = {"00080061": element("CS", modality), "0020000D": element("UI", "1.2")}
    assert call(page, "study_row", "m.studyRow(x, false).querySelectorAll('img').length", study) == asked


@pytest.mark.parametrize(
    ("modalities", "said"),
    [
        (["CT", "PT"], "122 immagini"),
        (["CT", "SR"], "122 oggetti"),
        (["SR"], "122 oggetti"),
        ([], "122 oggetti"),
    ],
)
def test_only_images_are_counted_as_images(page: Page, modalities: list[str], said: str) -> None:
    study = {"00080061": element("CS", *modalities), "00201208": element("IS", 122)}
    assert call(page, "patient", "m.studySize(x)[1]", study) == said


def test_a_long_word_pushes_no_value_out_of_sight(page: Page, origin: str) -> None:
    page.goto(f"{origin}/?study=../not-a-uid")
    page.wait_for_selector("[data-testid=notice]")
    shown = """() => {
        const part = (name, parent, css = '') => {
            const made = parent.appendChild(document.createElement(name));
            made.className = css;
            return made;
        };
        const side = part('aside', document.body, 'side');
        const row = part('tr', part('tbody', part('table', part('section', side, 'measurements'))));
        part('th', row).textContent = `urn:oid:${'1.2345'.repeat(20)}`;
        const last = ['', ''].map(() => part('td', row)).at(-1);
        last.textContent = 'FHIR';
        const ends = [last, side].map((each) => each.getBoundingClientRect().right);
        side.remove();
        return ends;
    }"""
    last, side = page.evaluate(shown)
    assert 0 < last <= side


def measures(down: float, across: float) -> dict[str, object]:
    return {"00289110": element("SQ", {"00280030": element("DS", down, across)})}


@pytest.mark.parametrize(
    ("metadata", "frame", "spacing"),
    [
        ({"00280030": element("DS", 0.5, 0.25)}, None, {"down": 0.5, "across": 0.25}),
        ({"52009229": element("SQ", measures(2, 3))}, 2, {"down": 2, "across": 3}),
        ({"52009230": element("SQ", measures(1, 1), measures(4, 5))}, 2, {"down": 4, "across": 5}),
        ({"00280030": element("DS", 0, 1)}, None, None),
        ({}, None, None),
    ],
)
def test_pixel_spacing(page: Page, metadata: object, frame: int | None, spacing: object) -> None:
    assert call(page, "scale", "m.pixelSpacing(x[0], x[1] ?? undefined)", [metadata, frame]) == spacing


def region(delta: float, *corners: int, unit: int = 3, form: int = 1) -> dict[str, object]:
    """An ultrasound region: centimetres in two dimensions unless told otherwise."""
    edges = dict(zip(("00186018", "0018601A", "0018601C", "0018601E"), corners, strict=True))
    return {
        "00186012": element("US", form),
        **{tag: element("UL", edge) for tag, edge in edges.items()},
        **{tag: element("US", unit) for tag in ("00186024", "00186026")},
        **{tag: element("FD", delta) for tag in ("0018602C", "0018602E")},
    }


TISSUE = region(0.05, 0, 0, 99, 99)


@pytest.mark.parametrize(
    ("regions", "spacing"),
    [
        ([TISSUE], {"down": 0.5, "across": 0.5}),
        ([TISSUE, region(0.05, 10, 10, 50, 50)], {"down": 0.5, "across": 0.5}),
        ([region(0.05, 0, 0, 30, 99), region(0.02, 31, 0, 99, 99)], None),  # from one into another
        ([TISSUE, region(0.02, 10, 10, 50, 50)], None),  # two that contradict each other
        ([region(0.05, 0, 0, 99, 99, unit=4)], None),  # seconds
        ([region(0.05, 0, 0, 99, 99, form=3)], None),  # a spectrum
        ([region(0.0, 0, 0, 99, 99)], None),
    ],
)
def test_the_scale_of_ultrasound_is_that_of_the_region(
    page: Page, regions: list[object], spacing: object
) -> None:
    metadata = {"00186011": element("SQ", *regions), "00280030": element("DS", 7, 7)}
    expression = "m.spacingBetween(x, {x: 20, y: 20}, {x: 40, y: 40})"
    assert call(page, "scale", expression, metadata) == spacing


def test_what_has_no_regions_has_one_scale(page: Page) -> None:
    metadata = {"00280030": element("DS", 2, 1)}
    assert call(page, "scale", "m.spacingBetween(x, {x: 0, y: 0}, {x: 9, y: 9})", metadata) == {
        "down": 2,
        "across": 1,
    }


def test_a_length_heeds_pixels_that_are_not_square(page: Page) -> None:
    expression = "m.millimetres({x: 0, y: 0}, {x: 3, y: 4}, {down: 2, across: 1})"
    assert call(page, "scale", expression) == "8.5"


def test_a_length_keeps_its_digits_when_it_is_posted(page: Page) -> None:
    expression = (
        "JSON.stringify(m.lengthObservation({study: '1.2', instance: '1.3', frame: 7},"
        " {x: 1, y: 2}, {x: 3.456, y: 4}, '10.0', 'Image 1 / 6'))"
    )
    posted = call(page, "scale", expression)
    assert '"value":10.0' in posted
    assert '"valueString":"7"' in posted
    assert '"valueDecimal":3.46' in posted
