/** A kind word where there is nothing else to show. */

import { button, el } from "./dom.js";
import { t } from "./i18n.js";

/**
 * @param {string} title key of the text
 * @param {string} more key of the text
 * @param {...HTMLElement} actions buttons or links
 * @returns {HTMLElement}
 */
export function notice(title, more, ...actions) {
  return el(
    "section",
    { class: "notice", role: "status", "data-testid": "notice" },
    el("h2", {}, t(title)),
    el("p", { class: "muted" }, t(more)),
    actions.length > 0 && el("p", { class: "actions" }, ...actions),
  );
}

/**
 * What is said when the archive did not answer.
 * @param {() => void} retry
 * @returns {HTMLElement}
 */
export function failureNotice(retry) {
  return notice("error.title", "error.more", button("refresh", t("action.retry"), retry));
}
