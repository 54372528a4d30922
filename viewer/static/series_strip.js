/** The series of a study with their thumbnails, one of them chosen. */

import { seriesThumbnail } from "./api.js";
import { TAG, number, text } from "./dicom.js";
import { el, icon, thumbnail } from "./dom.js";
import { counted, t, textOr } from "./i18n.js";
import { isPictorial } from "./pictures.js";

/**
 * @param {string} study Study Instance UID
 * @param {import("./api.js").DicomJson[]} series
 * @param {(uid: string) => void} onChoose
 * @returns {{element: HTMLElement, mark: (uid: string) => void}} mark: shows which one is on view
 */
export function seriesStrip(study, series, onChoose) {
  const buttons = new Map(series.map((one) => [text(one, TAG.SeriesInstanceUID), seriesButton(study, one, onChoose)]));
  const mark = (uid) => {
    for (const [each, button] of buttons) {
      if (each === uid) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    buttons.get(uid)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  const items = [...buttons.values()].map((button) => el("li", {}, button));
  const heading = el("h2", { class: "visually-hidden" }, t("study.series"));
  const list = el("ol", {}, ...items);
  return { element: el("nav", { class: "strip", "aria-label": t("study.series") }, heading, list), mark };
}

/** @returns {string} what a series is called: its description, else the name of its modality */
export function seriesTitle(series) {
  const modality = text(series, TAG.Modality);
  return text(series, TAG.SeriesDescription) || textOr(`modality.${modality}`, modality) || t("study.unnamedSeries");
}

function seriesButton(study, series, onChoose) {
  const uid = text(series, TAG.SeriesInstanceUID);
  const modality = text(series, TAG.Modality);
  const count = number(series, TAG.NumberOfSeriesRelatedInstances);
  const hasPictures = isPictorial(series);
  return el(
    "button",
    { type: "button", class: "series", "data-testid": "series", "data-uid": uid, onclick: () => onChoose(uid) },
    hasPictures ? thumbnail(seriesThumbnail(study, uid), modality) : el("span", { class: "thumb" }, icon("document")),
    el(
      "span",
      { class: "series-label" },
      el("span", { class: "series-title", title: seriesTitle(series) }, seriesTitle(series)),
      el(
        "span",
        { class: "series-facts" },
        el("span", { class: "modality" }, modality),
        count > 0 && el("span", {}, counted(hasPictures ? "count.images" : "count.objects", count)),
      ),
    ),
  );
}
