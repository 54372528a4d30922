/** The measurements of a study as a table: a heading for each group, a row for each value. */

import { button, el, icon } from "./dom.js";
import { observationsOfStudy, resourceUrl } from "./fhir.js";
import { counted, t, textOr } from "./i18n.js";
import { groupObservations } from "./observations.js";

const COLUMNS = ["measurements.name", "measurements.value", "measurements.resource"];

/**
 * Load and draw the measurements.
 * @param {string} study Study Instance UID
 * @param {AbortSignal} signal
 * @returns {Promise<{panel: HTMLElement, count: number}>} count: how many values the table shows
 */
export async function measurementsPanel(study, signal) {
  const { observations, sites } = await observationsOfStudy(study, signal);
  const groups = groupObservations(observations, sites);
  const rows = groups.flatMap((group) => group.rows);
  const isPreliminary = [...groups, ...rows].some(({ status }) => status === "preliminary");
  const panel = el(
    "section",
    { class: "measurements", "aria-labelledby": "measurements-title", "data-testid": "measurements" },
    el(
      "header",
      { class: "panel-head" },
      el("h2", { id: "measurements-title", tabindex: "-1" }, t("measurements.title")),
      el("span", { class: "muted" }, counted("measurements.count", rows.length)),
    ),
    isPreliminary && el("p", { class: "caution" }, icon("warning"), el("span", {}, t("measurements.caution"))),
    el(
      "table",
      {},
      el("thead", {}, el("tr", {}, ...COLUMNS.map((key) => el("th", { scope: "col" }, t(key))))),
      ...groups.map(groupBody),
    ),
  );
  return { panel, count: rows.length };
}

/** @returns {HTMLElement} what stands in place of the table when it could not be had */
export function measurementsFailed(retry) {
  return el(
    "section",
    { class: "measurements", "data-testid": "measurements-failed" },
    el("p", { class: "caution", role: "alert" }, icon("warning"), el("span", {}, t("measurements.failed"))),
    button("refresh", t("action.retry"), retry),
  );
}

function groupBody(group) {
  return el(
    "tbody",
    { "data-testid": "measurement-group", "data-status": group.status },
    el(
      "tr",
      { class: "group" },
      el("th", { scope: "rowgroup", colspan: "2" }, ...groupHeading(group)),
      el("td", {}, group.id && resourceLink(group.id, group.tracking || group.finding)),
    ),
    ...group.rows.map((row) => valueRow(row, group.status)),
  );
}

function groupHeading({ tracking, finding, site, status }) {
  return [
    el("span", { class: "finding" }, finding, status && statusBadge(status)),
    site && el("span", { class: "site" }, site),
    tracking && el("span", { class: "tracking", title: t("measurements.tracking") }, tracking),
  ];
}

function valueRow({ id, name, value, status, details }, groupStatus) {
  return el(
    "tr",
    { "data-testid": "measurement", "data-status": status },
    el("th", { scope: "row" }, name, ...details.map((detail) => el("span", { class: "detail" }, detail))),
    el("td", {}, el("span", { class: "value" }, value), status !== groupStatus && statusBadge(status)),
    el("td", {}, resourceLink(id, name)),
  );
}

function statusBadge(status) {
  return el("span", { class: `badge status-${status}`, "data-testid": "status" }, textOr(`status.${status}`, status));
}

function resourceLink(id, what) {
  const label = t("measurements.openResource", { what });
  const link = { href: resourceUrl("Observation", id), target: "_blank", rel: "noopener", "aria-label": label };
  return el("a", { ...link, class: "resource", title: label }, "FHIR");
}
