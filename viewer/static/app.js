/** The page's frame: which view the address asks for, moving between views, and the language. */

import { RequestFailed } from "./api.js";
import { el } from "./dom.js";
import { language, languages, loadLanguage, t } from "./i18n.js";
import { failureNotice } from "./notice.js";
import { studiesView } from "./studies.js";
import { studyView } from "./study.js";

/**
 * @typedef {object} Context what a view gets
 * @property {URLSearchParams} query of the address
 * @property {AbortSignal} signal aborted when the view is left
 */

const main = document.getElementById("main");
const masthead = document.getElementById("masthead");
let leaving = new AbortController();

async function show() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const query = new URLSearchParams(location.search);
  const isStudy = query.has("study");
  document.body.className = isStudy ? "in-study is-busy" : "in-list is-busy";
  try {
    await (isStudy ? studyView : studiesView)(main, { query, signal });
  } catch (error) {
    if (signal.aborted) return;
    main.replaceChildren(failureNotice(show));
    if (!(error instanceof RequestFailed)) throw error;
  } finally {
    if (!signal.aborted) document.body.classList.remove("is-busy");
  }
}

function drawMasthead() {
  const choices = languages().map((each) =>
    el(
      "button",
      {
        type: "button",
        lang: each,
        "aria-pressed": String(each === language()),
        "aria-label": t(`language.${each}`),
        "data-testid": `language-${each}`,
        onclick: () => switchLanguage(each),
      },
      each.toUpperCase(),
    ),
  );
  masthead.replaceChildren(
    el("button", { type: "button", class: "skip", onclick: () => main.focus() }, t("action.skip")),
    el(
      "a",
      { class: "brand", href: "./", "data-route": "list" },
      el("img", { src: "static/logo.svg", alt: "", width: "28", height: "28" }),
      el("span", {}, t("app.name")),
    ),
    el("div", { class: "segmented languages", role: "group", "aria-label": t("language.title") }, ...choices),
  );
}

async function switchLanguage(chosen) {
  await loadLanguage(chosen);
  drawMasthead();
  masthead.querySelector(`[lang=${chosen}]`).focus();
  await show();
}

/** Links within the page change the view; a click that asks for a new tab stays the browser's. */
async function follow(event) {
  const link = event.target.closest("a[data-route]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  if (link.dataset.route === "back" && history.state?.inner) {
    history.back();
    return;
  }
  history.replaceState({ ...history.state, scroll: window.scrollY }, "");
  history.pushState({ inner: link.dataset.route === "study" }, "", link.href);
  await show();
  window.scrollTo(0, 0);
  main.focus({ preventScroll: true });
}

history.scrollRestoration = "manual";
document.addEventListener("click", follow);
window.addEventListener("popstate", show);
await loadLanguage();
drawMasthead();
await show();
