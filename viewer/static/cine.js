/** Playing a stack: at most so many pictures a second, and never faster than they come. */

/** Fires `change` when it starts or stops. */
export class Cine extends EventTarget {
  #stack;
  #timer = 0;
  #rate = 10;

  /** @param {import("./stack.js").Stack} stack */
  constructor(stack) {
    super();
    this.#stack = stack;
  }

  /** @returns {boolean} */
  get isPlaying() {
    return this.#timer !== 0;
  }

  /** @param {number} rate pictures a second */
  setRate(rate) {
    this.#rate = rate;
  }

  /** Start, or stop. */
  toggle() {
    if (this.isPlaying) this.stop();
    else this.#start();
  }

  /** Stop; nothing happens when it stands still already. */
  stop() {
    if (!this.isPlaying) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.dispatchEvent(new Event("change"));
  }

  #start() {
    this.#plan(0);
    this.dispatchEvent(new Event("change"));
  }

  #plan(delay) {
    this.#timer = setTimeout(() => this.#step(), delay);
  }

  async #step() {
    const begun = performance.now();
    const errand = this.#timer;
    await this.#stack.go(this.#next());
    if (this.#timer === errand) this.#plan(Math.max(0, 1000 / this.#rate - (performance.now() - begun)));
  }

  /** A film is an instance of many frames and begins anew at its end; single pictures run through the series. */
  #next() {
    const { frame, frames } = this.#stack.picture;
    const isLast = frame ? frame === frames : this.#stack.index === this.#stack.length - 1;
    if (!isLast) return this.#stack.index + 1;
    return frame ? this.#stack.index - frames + 1 : 0;
  }
}
