/** What is written over a picture: who and what it is, and where in the series. */

import { el } from "./dom.js";
import { t } from "./i18n.js";

/**
 * Text in the four corners; it never hides the picture from the pointer.
 * @param {import("./stack.js").Stack} stack
 * @param {Object<string, string[]>} corners lines of the corners `top-left`, `top-right` and `bottom-right`
 * @returns {HTMLElement}
 */
export function overlay(stack, corners) {
  const place = corner("bottom-left", []);
  const size = corner("bottom-right", corners["bottom-right"]);
  stack.addEventListener("change", () => {
    place.replaceChildren(...lines(placeLines(stack)));
    const { rows, columns } = stack.picture;
    size.replaceChildren(...lines([...corners["bottom-right"], windowLine(stack), rows && `${columns} × ${rows}`]));
  });
  return el(
    "div",
    { class: "overlay", "data-testid": "overlay" },
    corner("top-left", corners["top-left"]),
    corner("top-right", corners["top-right"]),
    place,
    size,
  );
}

/** A picture of a film says which film and which frame. */
function placeLines(stack) {
  const { frame, frames, number, instances } = stack.picture;
  const isFilm = frame && frames < stack.length;
  if (!isFilm) return [t("overlay.image", { index: stack.index + 1, count: stack.length })];
  return [t("overlay.image", { index: number, count: instances }), t("overlay.frame", { frame, frames })];
}

function windowLine(stack) {
  const [center, width] = stack.window.split(",");
  return width && t("overlay.window", { center, width });
}

function corner(name, content) {
  return el("div", { class: `corner ${name}` }, ...lines(content));
}

function lines(content) {
  return content.filter(Boolean).map((line) => el("p", {}, line));
}
