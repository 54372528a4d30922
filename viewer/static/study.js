/** One study: who it is of, its series, the pictures of one series, and the measurements. */

import { RequestFailed, findStudy, isUid, searchInstances, searchSeries, serviceSettings } from "./api.js";
import { TAG, formatDate, formatTime, number, text } from "./dicom.js";
import { documentStage } from "./documents.js";
import { button, el, icon } from "./dom.js";
import { t } from "./i18n.js";
import { measurementsFailed, measurementsPanel } from "./measurements.js";
import { failureNotice, notice } from "./notice.js";
import { ohifLink } from "./ohif.js";
import { patientLine, patientName, studyHeading } from "./patient.js";
import { firstToShow, picturesOf } from "./pictures.js";
import { seriesStrip, seriesTitle } from "./series_strip.js";
import { stage } from "./stage.js";

/**
 * Draw the view of a study into the page.
 * @param {HTMLElement} main
 * @param {import("./app.js").Context} context
 */
export async function studyView(main, context) {
  const uid = context.query.get("study");
  const found = isUid(uid) ? await load(uid, context.signal) : null;
  if (!found) {
    document.title = t("app.name");
    main.replaceChildren(notice("study.notFound", "study.notFoundMore", backLink()));
    return;
  }
  new StudyPage(main, uid, found, context).open();
}

async function load(uid, signal) {
  const asked = [findStudy(uid, signal), searchSeries(uid, signal), serviceSettings(signal)];
  const [study, series, settings] = await Promise.all(asked).catch((error) => {
    if (error instanceof RequestFailed && error.status === 404) return [];
    throw error;
  });
  return study && series.length ? { study, series, settings } : null;
}

function backLink() {
  return el("a", { class: "button", href: "./", "data-route": "back" }, icon("back"), el("span", {}, t("study.back")));
}

/** The page of one study as long as it is open. */
class StudyPage {
  #uid;
  #study;
  #series;
  #settings;
  #context;
  #main;
  #strip;
  #stagePlace = el("div", { class: "stage-place" });
  #side = el("aside", { class: "side", id: "side", hidden: true, "data-scrolls": true });
  #sideButton;
  #closing = new AbortController();

  constructor(main, uid, { study, series, settings }, context) {
    this.#main = main;
    this.#uid = uid;
    this.#study = study;
    this.#series = series;
    this.#settings = settings;
    this.#context = context;
    this.#strip = seriesStrip(uid, series, (chosen) => this.#choose(chosen));
    this.#sideButton = button("chart", t("measurements.title"), () => this.#showSide(this.#side.hidden), {
      hidden: true,
      "aria-controls": "side",
      "data-testid": "toggle-measurements",
    });
    context.signal.addEventListener("abort", () => this.#closing.abort());
  }

  open() {
    document.title = `${text(this.#study, TAG.StudyDescription) || t("study.title")} · ${t("app.name")}`;
    this.#main.replaceChildren(
      el(
        "article",
        { class: "study", "data-testid": "study" },
        el(
          "header",
          { class: "study-head" },
          backLink(),
          studyHeading(this.#study),
          this.#settings.ohif && ohifLink(this.#uid),
          this.#sideButton,
        ),
        el("div", { class: "study-body" }, this.#strip.element, this.#stagePlace, this.#side),
      ),
    );
    const wanted = this.#context.query.get("series");
    const uids = this.#series.map((series) => text(series, TAG.SeriesInstanceUID));
    this.#choose(uids.includes(wanted) ? wanted : text(firstToShow(this.#series), TAG.SeriesInstanceUID));
    this.#loadMeasurements();
  }

  /** Put a series on the stage, and into the address, so that it can be shared. */
  async #choose(uid) {
    this.#closing.abort();
    this.#closing = new AbortController();
    const { signal } = this.#closing;
    const series = this.#series.find((one) => text(one, TAG.SeriesInstanceUID) === uid);
    this.#strip.mark(uid);
    this.#stagePlace.setAttribute("aria-busy", "true");
    history.replaceState(history.state, "", `?${new URLSearchParams({ study: this.#uid, series: uid })}`);
    try {
      const expected = number(series, TAG.NumberOfSeriesRelatedInstances);
      const instances = await searchInstances(this.#uid, uid, expected, signal);
      const placed = this.#stageFor(series, instances, signal);
      if (!signal.aborted) this.#stagePlace.replaceChildren(placed);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof RequestFailed)) throw error;
      this.#stagePlace.replaceChildren(failureNotice(() => this.#choose(uid)));
    }
    if (!signal.aborted) this.#stagePlace.removeAttribute("aria-busy");
  }

  #stageFor(series, instances, signal) {
    const uids = { [TAG.StudyInstanceUID]: { vr: "UI", Value: [this.#uid] } };
    const all = picturesOf({ ...series, ...uids }, instances);
    const images = all.filter(({ kind }) => kind === "image");
    const about = { modality: text(series, TAG.Modality), title: seriesTitle(series) };
    if (images.length) return this.#pictureStage(images, { ...about, corners: this.#corners(series) }, signal);
    if (!all.length) return notice("study.emptySeries", "study.emptySeriesMore");
    const openMeasurements = this.#sideButton.hidden ? null : () => this.#showSide(true);
    return documentStage(all, { ...about, openMeasurements });
  }

  #pictureStage(images, about, signal) {
    return stage(images, about, signal, () => this.#loadMeasurements());
  }

  #corners(series) {
    const [date, time] = [text(this.#study, TAG.StudyDate), text(this.#study, TAG.StudyTime)];
    const label = [text(series, TAG.Modality), text(series, TAG.SeriesNumber)].filter(Boolean).join(" · ");
    const [id, ...person] = patientLine(this.#study);
    return {
      "top-left": [patientName(this.#study), id, person.join(" · ")],
      "top-right": [text(this.#study, TAG.StudyDescription), [formatDate(date), formatTime(time)].join(" ").trim()],
      "bottom-right": [label, text(series, TAG.SeriesDescription)],
    };
  }

  async #loadMeasurements() {
    const { signal } = this.#context;
    try {
      const { panel, count } = await measurementsPanel(this.#uid, signal);
      this.#side.replaceChildren(panel);
      this.#sideButton.hidden = !count;
      this.#showSide(count > 0, false);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof RequestFailed)) throw error;
      this.#side.replaceChildren(measurementsFailed(() => this.#loadMeasurements()));
      this.#showSide(error.status !== 404, false);
    }
  }

  #showSide(isShown, takesFocus = true) {
    this.#side.hidden = !isShown;
    this.#sideButton.setAttribute("aria-expanded", String(isShown));
    if (isShown && takesFocus) this.#side.querySelector("h2")?.focus();
  }
}
