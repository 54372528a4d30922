/** What an empty archive says: how to send something to it. */

import { serviceSettings } from "./api.js";
import { el, iconButton } from "./dom.js";
import { t } from "./i18n.js";

/**
 * @param {AbortSignal} signal
 * @returns {Promise<HTMLElement>}
 */
export async function welcome(signal) {
  const { aet, port, host } = await serviceSettings(signal);
  const name = host || location.hostname;
  return el(
    "section",
    { class: "welcome", "data-testid": "welcome" },
    el("img", { src: "static/logo.svg", alt: "", width: "72", height: "72" }),
    el("h1", {}, t("welcome.title")),
    el("p", { class: "lead" }, t("welcome.lead")),
    el(
      "dl",
      { class: "address" },
      ...[
        ["welcome.aet", aet],
        ["welcome.host", name],
        ["welcome.port", port],
      ].flatMap(([key, value]) => [el("dt", {}, t(key)), el("dd", {}, value)]),
    ),
    el(
      "ol",
      { class: "ways" },
      way("welcome.send", "welcome.sendMore", `dcmsend -v -nh -aec ${aet} +sd +r ${name} ${port} ./images`),
      way("welcome.import", "welcome.importMore", "diafana import ./images"),
      way("welcome.demo", "welcome.demoMore", "make demo"),
    ),
    el("p", { class: "muted", role: "status" }, t("welcome.waiting")),
  );
}

function way(title, more, command) {
  return el(
    "li",
    {},
    el("h2", {}, t(title)),
    el("p", { class: "muted" }, t(more)),
    el("div", { class: "command" }, el("code", {}, command), copyButton(command)),
  );
}

/** Browsers let a page copy only over HTTPS or on this machine. */
function copyButton(command) {
  if (!navigator.clipboard) return null;
  const copy = async () => {
    await navigator.clipboard.writeText(command);
    copier.title = t("action.copied");
    copier.classList.add("is-done");
  };
  const copier = iconButton("copy", t("action.copy"), copy);
  return copier;
}
