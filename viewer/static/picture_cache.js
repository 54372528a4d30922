/** Decoded pictures kept at hand, as many as memory bears. */

const PIXELS_AT_HAND = 150_000_000;
const FEWEST = 6;
const MOST = 600;

/** Loads each picture once and forgets those that were looked at longest ago. */
export class PictureCache {
  #entries = new Map();
  #limit;

  /** @param {number} pixels of one picture; 0 when unknown */
  constructor(pixels) {
    this.#limit = Math.min(MOST, Math.max(FEWEST, Math.floor(PIXELS_AT_HAND / (pixels || 1_000_000))));
  }

  /** @returns {number} how many pictures are worth fetching ahead */
  get ahead() {
    return Math.min(12, Math.floor(this.#limit / 3));
  }

  /** @returns {boolean} whether the picture is loaded or on its way */
  has(url) {
    return this.#entries.has(url);
  }

  /**
   * @param {string} url
   * @returns {Promise<HTMLImageElement>} decoded, so that showing it does not flicker; rejects when it fails
   */
  get(url) {
    const entry = this.#entries.get(url) ?? { picture: this.#load(url) };
    this.#entries.delete(url);
    this.#entries.set(url, entry);
    if (this.#entries.size > this.#limit) this.#entries.delete(this.#entries.keys().next().value);
    return entry.picture;
  }

  async #load(url) {
    const image = new Image();
    image.draggable = false;
    image.alt = "";
    image.src = url;
    try {
      await image.decode();
    } catch (error) {
      this.#entries.delete(url);
      throw error;
    }
    return image;
  }
}
