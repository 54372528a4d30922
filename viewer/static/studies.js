/** The list of studies: search, page by page, from the newest. */

import { RequestFailed, searchStudies, serviceSettings, studyKeys } from "./api.js";
import { el, iconButton } from "./dom.js";
import { counted, t } from "./i18n.js";
import { failureNotice, notice } from "./notice.js";
import { searchForm } from "./search_form.js";
import { studyRow } from "./study_row.js";
import { welcome } from "./welcome.js";

const PAGE = 25;
const MOST_AT_ONCE = 200;
const LOOK_AGAIN = 5000;
const COLUMNS = ["list.patient", "list.study", "list.modality", "list.date", "list.size"];

/**
 * Draw the list into the page. What is searched for is kept in the history's entry, not in the address:
 * addresses are written to logs, and names of patients have no place there.
 * @param {HTMLElement} main
 * @param {import("./app.js").Context} context
 */
export async function studiesView(main, { signal }) {
  document.title = t("app.name");
  await new StudyList(main, signal).open(history.state ?? {});
}

/** The list as long as it is on view. */
class StudyList {
  #main;
  #signal;
  #filters = {};
  #hasOhif = false;
  #shown = 0;
  #searching = new AbortController();
  #rows = el("ol", { class: "rows", "data-testid": "studies" });
  #count = el("p", { class: "muted", role: "status", "data-testid": "count" });
  #rest = el("div", { class: "rest" });
  #results = el("section", { class: "results", "aria-label": t("list.title") });

  constructor(main, signal) {
    this.#main = main;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#searching.abort());
  }

  async open({ filters = {}, shown = PAGE, scroll = 0 }) {
    this.#filters = filters;
    const some = Math.min(MOST_AT_ONCE, Math.max(PAGE, shown));
    const [first, { ohif }] = await Promise.all([this.#fetch(0, some), serviceSettings(this.#signal)]);
    this.#hasOhif = ohif;
    this.#results.classList.toggle("has-ohif", ohif);
    const isEmpty = !first.studies.length && !studyKeys(filters).size;
    if (isEmpty) await this.#welcome();
    else this.#draw(first);
    window.scrollTo(0, scroll);
  }

  /** An empty archive says how to fill it, and looks again by itself. */
  async #welcome() {
    const page = await welcome(this.#signal);
    this.#main.replaceChildren(page);
    const look = async () => {
      const { studies } = await this.#fetch(0, PAGE).catch(() => ({ studies: [] }));
      if (this.#signal.aborted) return;
      if (studies.length) await this.open({});
      else setTimeout(look, LOOK_AGAIN);
    };
    setTimeout(look, LOOK_AGAIN);
  }

  #draw(first) {
    const columns = COLUMNS.map((key) => el("span", {}, t(key)));
    const head = el("div", { class: "columns", "aria-hidden": "true" }, ...columns);
    this.#results.replaceChildren(head, this.#rows, this.#rest);
    this.#main.replaceChildren(
      el(
        "div",
        { class: "list" },
        el(
          "div",
          { class: "list-head" },
          el("h1", {}, t("list.title")),
          this.#count,
          iconButton("refresh", t("list.refresh"), () => this.#search(this.#filters)),
        ),
        searchForm(this.#filters, (filters) => this.#search(filters), this.#signal),
        this.#results,
      ),
    );
    this.#rows.replaceChildren();
    this.#append(first);
  }

  async #search(filters) {
    this.#filters = filters;
    this.#searching.abort();
    this.#searching = new AbortController();
    const { signal } = this.#searching;
    this.#results.setAttribute("aria-busy", "true");
    await this.#guard(signal, async () => {
      const found = await this.#fetch(0, PAGE, signal);
      this.#rows.replaceChildren();
      this.#shown = 0;
      this.#append(found);
    });
  }

  async #more(button) {
    const { signal } = this.#searching;
    button.disabled = true;
    const at = this.#shown;
    await this.#guard(signal, async () => this.#append(await this.#fetch(at, PAGE, signal)));
    this.#rows.children[at]?.querySelector("a").focus({ preventScroll: true });
  }

  /** Run a search; a failure is told below what is shown, an overtaken one is forgotten. */
  async #guard(signal, work) {
    try {
      await work();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof RequestFailed)) throw error;
      this.#rest.replaceChildren(failureNotice(() => this.#search(this.#filters)));
    }
    this.#results.removeAttribute("aria-busy");
  }

  /** One more than shown is asked for, to know whether there are others. */
  async #fetch(offset, limit, signal = this.#signal) {
    const found = await searchStudies(studyKeys(this.#filters), { offset, limit: limit + 1 }, signal);
    return { studies: found.slice(0, limit), hasMore: found.length > limit };
  }

  #append({ studies, hasMore }) {
    this.#rows.append(...studies.map((study) => studyRow(study, this.#hasOhif)));
    this.#shown += studies.length;
    const count = this.#shown;
    this.#count.textContent = hasMore ? t("list.countOrMore", { count }) : counted("count.studies", count);
    history.replaceState({ ...history.state, filters: this.#filters, shown: this.#shown }, "");
    if (hasMore) this.#rest.replaceChildren(this.#moreButton());
    else if (this.#shown) this.#rest.replaceChildren();
    else this.#rest.replaceChildren(notice("list.none", "list.noneMore"));
  }

  #moreButton() {
    const button = el("button", { type: "button", class: "button", "data-testid": "more" }, t("list.more"));
    button.addEventListener("click", () => this.#more(button));
    return button;
  }
}
