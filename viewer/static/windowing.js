/** Windows for CT, in Hounsfield units, asked of the server that draws the picture. */

import { el } from "./dom.js";
import { t } from "./i18n.js";

/** Center, width and function as PS3.18 8.3.5.1.4 spells them; the first is the picture's own. */
const PRESETS = [
  ["default", ""],
  ["soft", "40,400,linear"],
  ["lung", "-600,1500,linear"],
  ["bone", "450,1500,linear"],
  ["brain", "40,80,linear"],
];

/**
 * A choice of windows, also by the digits from 1.
 * @param {import("./stack.js").Stack} stack
 * @param {AbortSignal} signal ends listening
 * @returns {HTMLElement}
 */
export function windowPresets(stack, signal) {
  const buttons = PRESETS.map(([name], place) =>
    el(
      "button",
      {
        type: "button",
        "aria-pressed": String(place === 0),
        "aria-keyshortcuts": String(place + 1),
        title: t("window.key", { key: place + 1 }),
        "data-testid": `window-${name}`,
        onclick: () => choose(place),
      },
      t(`window.${name}`),
    ),
  );
  const choose = (place) => {
    buttons.forEach((button, index) => button.setAttribute("aria-pressed", String(index === place)));
    stack.setWindow(PRESETS[place][1]);
  };
  document.addEventListener(
    "keydown",
    (event) => {
      const isTyping = event.target.matches("select, input:not([type=range])");
      const place = PRESETS.findIndex((_, index) => event.key === String(index + 1));
      if (place >= 0 && !isTyping && !event.ctrlKey && !event.altKey && !event.metaKey) choose(place);
    },
    { signal },
  );
  return el("div", { class: "segmented", role: "group", "aria-label": t("window.title") }, ...buttons);
}
