/** The page's language: one dictionary is loaded, the browser's language decides unless the reader has chosen. */

const PLAIN_DECIMAL = /^-?\d{1,15}(\.\d{1,12})?$/;
const LANGUAGES = ["en", "it"];
const REMEMBERED = "diafana.language";
const current = { language: "en", locale: "en", texts: {} };

/** @returns {readonly string[]} the languages there are */
export function languages() {
  return LANGUAGES;
}

/** @returns {string} the language now shown */
export function language() {
  return current.language;
}

/** @returns {string} the locale for dates and numbers: the browser's own where it fits the language */
export function locale() {
  return current.locale;
}

/**
 * Load a language and remember it when it was chosen.
 * @param {string} [chosen] one of languages(); without it the remembered one, else the browser's
 */
export async function loadLanguage(chosen) {
  const wanted = [chosen, remembered(), ...navigator.languages.map((tag) => tag.slice(0, 2)), "en"];
  current.language = wanted.find((tag) => LANGUAGES.includes(tag));
  current.locale = navigator.languages.find((tag) => tag.startsWith(current.language)) ?? current.language;
  const answer = await fetch(new URL(`static/lang/${current.language}.json`, document.baseURI));
  current.texts = await answer.json();
  document.documentElement.lang = current.language;
  if (chosen) remember(chosen);
}

/**
 * A text of the dictionary.
 * @param {string} key
 * @param {Object<string, string|number>} [values] for the `{name}` places in the text
 * @returns {string}
 */
export function t(key, values = {}) {
  const text = current.texts[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
}

/**
 * A text that depends on a number: `key.one` or `key.other`.
 * @param {string} key
 * @param {number} count put in the place `{count}`, grouped as the language does
 * @returns {string}
 */
export function counted(key, count) {
  const form = new Intl.PluralRules(current.language).select(count) === "one" ? "one" : "other";
  return t(`${key}.${form}`, { count: new Intl.NumberFormat(current.locale).format(count) });
}

/**
 * A number keeps every digit that it came with; only the decimal mark is the reader's.
 * @param {string} written
 * @returns {string} the text itself when it is no plain decimal
 */
export function formatDecimal(written) {
  const digits = written.split(".")[1]?.length ?? 0;
  const form = { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false };
  return PLAIN_DECIMAL.test(written) ? new Intl.NumberFormat(current.locale, form).format(written) : written;
}

/**
 * A text that may be missing, such as the name of a rare modality.
 * @param {string} key
 * @param {string} otherwise
 * @returns {string}
 */
export function textOr(key, otherwise) {
  return current.texts[key] ?? otherwise;
}

/** Storage may be forbidden by the browser; the page works without. */
function remembered() {
  try {
    return localStorage.getItem(REMEMBERED);
  } catch {
    return null;
  }
}

function remember(chosen) {
  try {
    localStorage.setItem(REMEMBERED, chosen);
  } catch {
    // The choice then lasts until the page is left.
  }
}
