/** Series without pictures to scroll through: PDF documents, films as video, and what cannot be drawn. */

import { rendered } from "./api.js";
import { button, el, icon } from "./dom.js";
import { t } from "./i18n.js";

/** How each kind is shown. */
const SHOWN = { pdf: pdfFrame, video: videoPlayer, none: noPicture };

/**
 * Draw the stage for documents; with several, the reader chooses.
 * @param {import("./pictures.js").Picture[]} documents none of kind image
 * @param {{modality: string, title: string, openMeasurements: (() => void)|null}} series
 *   openMeasurements: null when the study has no measurements to show
 * @returns {HTMLElement}
 */
export function documentStage(documents, series) {
  const place = el("div", { class: "document" });
  const show = (index) => place.replaceChildren(SHOWN[documents[index].kind](documents[index], series));
  const isChoice = documents.length > 1 && documents.some(({ kind }) => kind !== "none");
  show(0);
  return el(
    "section",
    { class: "stage", "aria-label": series.title },
    el(
      "div",
      { class: "toolbar" },
      el("h2", { class: "stage-title" }, series.title),
      isChoice && choice(documents, show),
    ),
    place,
  );
}

function choice(documents, show) {
  const names = documents.map((_, index) => t("document.number", { index: index + 1, count: documents.length }));
  const select = el("select", { "aria-label": t("document.choose"), onchange: () => show(Number(select.value)) });
  select.append(...names.map((name, index) => el("option", { value: index }, name)));
  return select;
}

function pdfFrame(picture) {
  const url = rendered(picture);
  return el(
    "div",
    { class: "document-page" },
    el("iframe", { src: url, title: t("document.pdf"), "data-testid": "pdf" }),
    openLink(url),
  );
}

function videoPlayer(picture) {
  const url = rendered(picture);
  const video = el("video", { src: url, controls: true, loop: true, "data-testid": "video" });
  return el("div", { class: "document-page" }, video, openLink(url));
}

function noPicture(picture, { modality, openMeasurements }) {
  const isReport = modality === "SR";
  return el(
    "div",
    { class: "nothing", "data-testid": "no-picture" },
    icon("document"),
    el("p", { class: "nothing-title" }, t(isReport ? "document.report" : "document.none")),
    el("p", { class: "muted" }, t(isReport ? "document.reportMore" : "document.noneMore")),
    isReport &&
      openMeasurements &&
      button("chart", t("measurements.open"), openMeasurements, { class: "primary" }),
  );
}

/** Browsers of phones often cannot show a PDF within a page. */
function openLink(url) {
  const link = { class: "button", href: url, target: "_blank", rel: "noopener" };
  return el("a", link, icon("external"), t("document.open"));
}
