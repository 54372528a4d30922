/** A stack of pictures of which one is shown: the newest wish wins, and neighbours are fetched ahead. */

import { rendered } from "./api.js";
import { el } from "./dom.js";
import { PictureCache } from "./picture_cache.js";

const BEHIND = 3;
const LANES = 3;

/** Fires `change` when another picture is wished, `shown` when it is seen, `failed` when it cannot be. */
export class Stack extends EventTarget {
  #pictures;
  #cache;
  #window = "";
  #index = 0;
  #shown = -1;
  #direction = 1;
  #errand = 0;
  #loading = 0;
  #letPass = null;

  /** @param {import("./pictures.js").Picture[]} pictures all of kind image */
  constructor(pictures) {
    super();
    this.#pictures = pictures;
    this.#cache = new PictureCache(Math.max(...pictures.map(({ rows, columns }) => rows * columns)));
    this.element = el("div", { class: "stack", "data-testid": "stack" });
  }

  /** @returns {number} how many pictures there are */
  get length() {
    return this.#pictures.length;
  }

  /** @returns {number} the wished one, from 0 */
  get index() {
    return this.#index;
  }

  /** @returns {import("./pictures.js").Picture} the wished one */
  get picture() {
    return this.#pictures[this.#index];
  }

  /** @returns {string} the window asked for; empty for the picture's own */
  get window() {
    return this.#window;
  }

  /**
   * Wish another picture; one beyond the ends is the last on that side.
   * @param {number} index from 0
   * @returns {Promise<void>} settled when it is shown, overtaken or failed
   */
  go(index) {
    const wished = Math.min(this.length - 1, Math.max(0, index));
    if (wished !== this.#index) this.#direction = Math.sign(wished - this.#index);
    this.#index = wished;
    this.dispatchEvent(new Event("change"));
    return this.#show(wished, ++this.#errand);
  }

  /** @returns {string} the address of the wished one */
  get url() {
    return this.#url(this.#index);
  }

  /** @param {string} window center, width and function; empty for the picture's own */
  setWindow(window) {
    this.#window = window;
    this.#shown = -1;
    return this.go(this.#index);
  }

  async #show(index, errand) {
    const url = this.#url(index);
    if (!this.#cache.has(url) && this.#loading >= LANES) await this.#turn();
    if (errand !== this.#errand) return;
    this.#loading += 1;
    try {
      const image = await this.#cache.get(url);
      if (this.#isBetter(index, url)) this.#put(image, index);
    } catch {
      if (errand === this.#errand) this.dispatchEvent(new Event("failed"));
    }
    this.#loading -= 1;
    this.#letPass?.();
    if (errand === this.#errand) this.#fetchNeighbours(errand);
  }

  /** In a fast run only the newest wish waits for its turn; the one that waited before is let go. */
  #turn() {
    this.#letPass?.();
    return new Promise((resolve) => (this.#letPass = resolve));
  }

  /** In a fast run a late picture is still shown when it is nearer to the wish than the one on view. */
  #isBetter(index, url) {
    if (url !== this.#url(index)) return false;
    return this.#shown < 0 || Math.abs(index - this.#index) <= Math.abs(this.#shown - this.#index);
  }

  #put(image, index) {
    this.#shown = index;
    if (this.element.firstChild !== image) this.element.replaceChildren(image);
    this.element.dataset.shown = String(index + 1);
    if (index === this.#index) this.dispatchEvent(new Event("shown"));
  }

  /** A few at a time, nearest first, so that a new wish never waits behind many. */
  async #fetchNeighbours(errand) {
    const steps = Array.from({ length: this.#cache.ahead }, (_, step) => step + 1).flatMap((step) =>
      step <= BEHIND ? [this.#direction * step, -this.#direction * step] : [this.#direction * step],
    );
    const queue = steps
      .map((step) => this.#index + step)
      .filter((index) => index >= 0 && index < this.length)
      .values();
    const lane = async () => {
      for (const index of queue) {
        if (errand !== this.#errand || !this.element.isConnected) return;
        await this.#cache.get(this.#url(index)).catch(() => null);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }

  #url(index) {
    return rendered(this.#pictures[index], this.#window);
  }
}
