/** The search above the list: it searches while one types. */

import { button, el } from "./dom.js";
import { t } from "./i18n.js";

const PAUSE = 350;

/** What the choice of modality offers; several codes are alternatives. */
const MODALITIES = ["CT", "MR", "US", "CR,DX", "MG", "NM,PT", "XA,RF", "SR", "OT,SC"];

/**
 * @param {Object<string, string>} filters what to fill in
 * @param {(filters: Object<string, string>) => void} onSearch called when the search changes
 * @param {AbortSignal} signal ends waiting
 * @returns {HTMLElement}
 */
export function searchForm(filters, onSearch, signal) {
  const rest = el(
    "div",
    { class: "filters", id: "filters" },
    field("patient", filters),
    field("accession", filters),
    field("from", filters, { type: "date" }),
    field("to", filters, { type: "date" }),
    modalityField(filters),
  );
  const form = el(
    "form",
    { class: "search", role: "search", "aria-label": t("search.title"), "data-testid": "search" },
    field("name", filters, { type: "search" }),
    filtersButton(rest),
    rest,
    el("button", { type: "reset", class: "button quiet", "data-testid": "clear" }, t("search.clear")),
  );
  listen(form, filters, onSearch, signal);
  return form;
}

function listen(form, filters, onSearch, signal) {
  let timer = 0;
  let last = JSON.stringify(filtersOf(form));
  const search = () => {
    clearTimeout(timer);
    const now = filtersOf(form);
    if (JSON.stringify(now) === last) return;
    last = JSON.stringify(now);
    onSearch(now);
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE);
  };
  form.addEventListener("input", soon);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    for (const control of form.querySelectorAll("input, select")) control.value = "";
    search();
  });
  signal.addEventListener("abort", () => clearTimeout(timer));
}

function filtersOf(form) {
  return Object.fromEntries([...new FormData(form)].filter(([, value]) => value.trim()));
}

function field(name, filters, props = {}) {
  const input = { type: "text", autocomplete: "off", spellcheck: "false", maxlength: "64", ...props };
  return el(
    "label",
    { class: `field field-${name}` },
    el("span", {}, t(`search.${name}`)),
    el("input", { ...input, name, value: filters[name] ?? "", "data-testid": `search-${name}` }),
  );
}

function modalityField(filters) {
  const options = MODALITIES.map((value) => {
    const names = value.split(",").map((code) => t(`modality.${code}`));
    return el("option", { value, selected: value === filters.modality }, `${value.replace(",", ", ")} – ${names[0]}`);
  });
  return el(
    "label",
    { class: "field field-modality" },
    el("span", {}, t("search.modality")),
    el(
      "select",
      { name: "modality", "data-testid": "search-modality" },
      el("option", { value: "" }, t("search.any")),
      ...options,
    ),
  );
}

/** On a narrow screen the other fields wait behind a button. */
function filtersButton(rest) {
  const toggle = () => opener.setAttribute("aria-expanded", String(rest.classList.toggle("is-open")));
  const props = { class: "filters-button", "aria-expanded": "false", "aria-controls": "filters" };
  const opener = button("search", t("search.filters"), toggle, props);
  return opener;
}
