/** Measuring a length in the picture: drawn with the pointer or set with the arrow keys, and saved. */

import { instanceMetadata } from "./api.js";
import { button, el, iconButton } from "./dom.js";
import { createObservation } from "./fhir.js";
import { formatDecimal, t } from "./i18n.js";
import { hasRegions, lengthObservation, millimetres, spacingBetween } from "./scale.js";

const SVG = "http://www.w3.org/2000/svg";
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const LARGE_STEP = 10;

/** The tool on one stage: a button for the toolbar, a layer for the viewport. */
export class Ruler {
  #stack;
  #signal;
  #onSaved;
  #ends = null;
  #picture = null;
  #metadata = null;
  #length = "";
  #dragged = -1;
  #drawing = null; // of each opening another: an answer that comes late is for one of them
  #line = shape("line", { class: "ruler-line" });
  #handles = ["ruler.start", "ruler.end"].map((label, end) => this.#handle(t(label), end));
  #value = el("output", { class: "ruler-value", "data-testid": "ruler-value" });
  #message = el("p", { class: "ruler-message", role: "alert", "data-testid": "ruler-message" });
  #save = button("check", t("ruler.save"), () => this.#post(), { class: "primary", "data-testid": "ruler-save" });
  #svg = shape("svg", { class: "ruler-drawing", preserveAspectRatio: "xMidYMid meet" });

  /**
   * @param {import("./stack.js").Stack} stack
   * @param {{signal: AbortSignal, onSaved: () => void}} options signal: ends listening
   */
  constructor(stack, { signal, onSaved }) {
    this.#stack = stack;
    this.#signal = signal;
    this.#onSaved = onSaved;
    const props = { "aria-pressed": "false", "aria-keyshortcuts": "l", "data-testid": "ruler" };
    this.button = iconButton("ruler", t("ruler.title"), () => this.#toggle(), props);
    const cancel = button("close", t("ruler.cancel"), () => this.close(), { "data-testid": "ruler-cancel" });
    this.#svg.append(this.#line, ...this.#handles);
    this.element = el(
      "div",
      { class: "ruler", hidden: true, "data-testid": "ruler-layer" },
      this.#svg,
      el("div", { class: "ruler-bar" }, this.#value, this.#message, this.#save, cancel),
    );
    this.#listen();
  }

  get isOpen() {
    return !this.element.hidden;
  }

  /** Put the tool away; what was not saved is gone. */
  close() {
    if (!this.isOpen) return;
    this.element.hidden = true;
    this.#ends = null;
    this.#dragged = -1;
    this.#drawing = null;
    this.button.setAttribute("aria-pressed", "false");
  }

  #toggle() {
    if (this.isOpen) this.close();
    else this.#open();
  }

  /** Opens with a line in the middle, whose ends the arrow keys move; a drag draws another. */
  async #open() {
    const image = this.#stack.element.querySelector("img");
    if (!image?.naturalWidth) return;
    const picture = (this.#picture = this.#stack.picture);
    const { naturalWidth: width, naturalHeight: height } = image;
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const drawing = (this.#drawing = {});
    this.element.hidden = false;
    this.element.inert = false;
    this.button.setAttribute("aria-pressed", "true");
    this.#metadata = null;
    this.#length = "";
    this.#ends = [0.4, 0.6].map((part) => ({ x: width * part, y: height / 2 }));
    this.#say("");
    this.#draw();
    this.#handles[1].focus({ preventScroll: true });
    const { study, series, instance } = picture;
    const metadata = await instanceMetadata(study, series, instance, this.#signal).catch(() => null);
    if (drawing !== this.#drawing) return;
    this.#metadata = metadata;
    if (metadata) this.#draw();
    else this.#say(t("ruler.lost"));
  }

  #listen() {
    const options = { signal: this.#signal };
    this.#svg.addEventListener("pointerdown", (event) => this.#grasp(event), options);
    this.#svg.addEventListener("pointermove", (event) => this.#drag(event), options);
    for (const end of ["pointerup", "pointercancel"]) {
      this.#svg.addEventListener(end, () => (this.#dragged = -1), options);
    }
    this.element.addEventListener("pointerdown", (event) => event.stopPropagation(), options);
    this.#stack.addEventListener("change", () => this.#stack.picture === this.#picture || this.close());
    document.addEventListener("keydown", (event) => this.#key(event), options);
  }

  #key(event) {
    const isTyping = event.target.matches("select, textarea, input:not([type=range])");
    if (isTyping || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape" && this.isOpen) {
      this.close();
      this.button.focus();
    }
    if (event.key === "l") this.#toggle();
  }

  /** An end that is touched follows the pointer; anywhere else a new line begins. */
  #grasp(event) {
    if (event.button || !event.isPrimary) return;
    event.preventDefault();
    const touched = this.#handles.indexOf(event.target);
    const place = this.#placeOf(event);
    if (touched < 0) this.#ends = [place, place];
    this.#dragged = touched < 0 ? 1 : touched;
    this.#svg.setPointerCapture(event.pointerId);
    this.#handles[this.#dragged].focus({ preventScroll: true });
    this.#draw();
  }

  #drag(event) {
    if (this.#dragged < 0 || !event.isPrimary) return;
    this.#ends[this.#dragged] = this.#placeOf(event);
    this.#draw();
  }

  #handle(label, end) {
    const handle = shape("path", { class: "ruler-handle", tabindex: "0", role: "button", "aria-label": label });
    handle.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.#post();
      const step = STEPS[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      const far = event.shiftKey ? LARGE_STEP : 1;
      const { x, y } = this.#ends[end];
      this.#ends[end] = this.#inside({ x: x + step[0] * far, y: y + step[1] * far });
      this.#draw();
    });
    return handle;
  }

  #placeOf({ clientX, clientY }) {
    const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(this.#svg.getScreenCTM().inverse());
    return this.#inside({ x, y });
  }

  #inside({ x, y }) {
    const { width, height } = this.#svg.viewBox.baseVal;
    return { x: Math.min(width, Math.max(0, x)), y: Math.min(height, Math.max(0, y)) };
  }

  /** The ends in pixels of the object, which the picture may have been scaled from. */
  #measured() {
    const { width, height } = this.#svg.viewBox.baseVal;
    const { columns, rows } = this.#picture;
    return this.#ends.map(({ x, y }) => ({ x: (x * columns) / width, y: (y * rows) / height }));
  }

  #draw() {
    const [from, to] = this.#ends;
    const places = { x1: from.x, y1: from.y, x2: to.x, y2: to.y };
    for (const [name, value] of Object.entries(places)) this.#line.setAttribute(name, value);
    this.#handles.forEach((handle, end) => handle.setAttribute("d", `M${this.#ends[end].x} ${this.#ends[end].y}h0`));
    if (this.#metadata) this.#measure();
    this.#value.textContent = this.#length && `${formatDecimal(this.#length)} mm`;
    this.#save.disabled = !Number(this.#length);
  }

  #measure() {
    const ends = this.#measured();
    const spacing = spacingBetween(this.#metadata, ...ends, this.#picture.frame);
    this.#length = spacing ? millimetres(...ends, spacing) : "";
    if (spacing) this.#say("");
    else this.#say(t(hasRegions(this.#metadata) ? "ruler.noScaleHere" : "ruler.noScale"));
  }

  async #post() {
    if (this.#save.disabled) return;
    const [from, to] = this.#measured();
    const { number, instances, frame, frames } = this.#picture;
    const image = t("overlay.image", { index: number, count: instances });
    const label = frame ? `${image}, ${t("overlay.frame", { frame, frames })}` : image;
    const observation = lengthObservation(this.#picture, from, to, this.#length, label);
    const drawing = this.#drawing;
    this.element.inert = true; // what is being saved stays as it is
    this.#say("");
    const isSaved = await createObservation(observation, this.#signal).then(
      () => true,
      () => false,
    );
    if (this.#signal.aborted) return;
    if (drawing === this.#drawing) this.#end(isSaved);
    if (isSaved) this.#onSaved();
  }

  #end(isSaved) {
    if (isSaved) {
      this.close();
      this.button.focus();
    } else {
      this.element.inert = false;
      this.#say(t("ruler.failed"));
    }
  }

  #say(text) {
    this.#message.textContent = text;
  }
}

function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  return element;
}
