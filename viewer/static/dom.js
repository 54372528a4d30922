/** Building the page from elements and text nodes only: what comes from outside can never become markup. */

const SVG = "http://www.w3.org/2000/svg";

/** Outlines on a 24 by 24 grid, drawn with a stroke of the text's colour. */
const ICONS = {
  back: "M15 5l-7 7 7 7",
  chart: "M4 20V10M10 20V4M16 20v-7M21 20H3",
  check: "M5 13l5 5L20 6",
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  document: "M6 3h8l5 5v13H6zM14 3v5h5M9 13h7M9 17h7",
  expand: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  external: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
  pause: "M8 5v14M16 5v14",
  play: "M7 4l13 8-13 8z",
  refresh: "M20 5v5h-5M4 19v-5h5M19 10a8 8 0 0 0-14-2M5 14a8 8 0 0 0 14 2",
  ruler: "M3 16L16 3l5 5L8 21zM7 12l2 2M11 8l3 3M14 5l2 2",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l5 5",
  text: "M4 6h16M4 12h10M4 18h13",
  warning: "M12 4l9 16H3zM12 10v4M12 17v.5",
};

/**
 * Make an element.
 * @param {string} tag
 * @param {Object<string, unknown>} [props] `class`, attributes, and listeners as `onclick: function`;
 *   null, undefined and false leave the attribute out, true sets it without a value.
 * @param {...(Node|string|number|null|undefined|false)} children strings become text nodes
 * @returns {HTMLElement}
 */
export function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child || child === 0).map(asNode));
  return element;
}

/**
 * A decorative icon; whatever bears it has a text of its own.
 * @param {keyof typeof ICONS} name
 * @returns {SVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/**
 * A button with an icon, and with its text beside it unless it is only a label.
 * @param {keyof typeof ICONS} name
 * @param {string} text
 * @param {() => void} onclick
 * @param {Object<string, unknown>} [props] `class` is added to the button's own
 * @returns {HTMLElement}
 */
export function button(name, text, onclick, { class: more = "", ...props } = {}) {
  const own = { type: "button", class: `button ${more}`.trim() };
  return el("button", { ...own, onclick, ...props }, icon(name), el("span", {}, text));
}

/**
 * A button that shows an icon only; its text is its label and its tooltip.
 * @param {keyof typeof ICONS} name
 * @param {string} text
 * @param {() => void} onclick
 * @param {Object<string, unknown>} [props]
 * @returns {HTMLElement}
 */
export function iconButton(name, text, onclick, props = {}) {
  const own = { type: "button", class: "button icon-only", "aria-label": text, title: text };
  return el("button", { ...own, onclick, ...props }, icon(name));
}

/**
 * A picture that gives way to a quiet tile with a word on it when there is none to be had.
 * @param {string} src
 * @param {string} word such as the modality
 * @returns {HTMLElement}
 */
export function thumbnail(src, word) {
  const tile = el("span", { class: "thumb", "data-word": word });
  const image = el("img", { src, alt: "", loading: "lazy", decoding: "async", draggable: "false" });
  image.addEventListener("load", () => tile.classList.add("is-loaded"));
  image.addEventListener("error", () => image.remove());
  tile.append(image);
  return tile;
}

/** @param {Node|string|number} child */
function asNode(child) {
  return child instanceof Node ? child : document.createTextNode(String(child));
}
