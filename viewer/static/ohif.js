/** The way to OHIF, where it is installed beside this page. */

import { el, icon } from "./dom.js";
import { t } from "./i18n.js";

/**
 * @param {string} study Study Instance UID
 * @returns {HTMLElement} a link that opens the study in a tab of its own
 */
export function ohifLink(study) {
  const href = `ohif/viewer?${new URLSearchParams({ StudyInstanceUIDs: study })}`;
  const text = t("ohif.open");
  return el(
    "a",
    { class: "button ohif", href, target: "_blank", rel: "noopener", title: text, "data-testid": "ohif" },
    icon("external"),
    el("span", {}, text),
  );
}
