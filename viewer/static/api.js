/** DICOMweb (PS3.18): searches, and the addresses of what is drawn. */

const ROOT = new URL("dicom-web/", document.baseURI);
const PAGE = 1000;

/** @typedef {Object<string, {vr: string, Value?: unknown[]}>} DicomJson one object, PS3.18 F.2 */

/** An answer that is not a success; `status` is its HTTP code, 0 when none came. */
export class RequestFailed extends Error {
  constructor(status) {
    super(`HTTP ${status}`);
    this.status = status;
  }
}

/**
 * Get a JSON answer; null when it is empty (204).
 * @param {URL} url
 * @param {string} accept media type
 * @param {AbortSignal} signal
 * @param {(text: string) => any} [parse]
 */
export async function getJson(url, accept, signal, parse = JSON.parse) {
  let answer;
  try {
    answer = await fetch(url, { headers: { Accept: accept }, signal });
  } catch (error) {
    throw signal.aborted ? error : new RequestFailed(0);
  }
  if (!answer.ok) throw new RequestFailed(answer.status);
  const text = await answer.text();
  return text ? parse(text) : null;
}

/** @returns {Promise<{aet: string, port: number, host: string, ohif: boolean}>} what the page tells its users */
export function serviceSettings(signal) {
  return getJson(new URL("settings.json", document.baseURI), "application/json", signal);
}

/** @returns {boolean} whether the text can be a UID (PS3.5 9.1), and so be part of an address */
export function isUid(text) {
  return /^[0-9.]{1,64}$/.test(text ?? "");
}

/**
 * What the search form holds, as QIDO-RS keys. A name matches with its words in their order, anywhere.
 * @param {Object<string, string>} filters
 * @returns {URLSearchParams}
 */
export function studyKeys({ name, patient, accession, from, to, modality }) {
  const keys = new URLSearchParams();
  const words = (text) => (text ?? "").split(/[\s,^=\\*]+/).filter(Boolean);
  const start = (text) => words(text).join("?");
  if (words(name).length) keys.set("PatientName", `*${words(name).join("*")}*`);
  if (start(patient)) keys.set("PatientID", `${start(patient)}*`);
  if (start(accession)) keys.set("AccessionNumber", `${start(accession)}*`);
  const days = from && to ? [from, to].sort() : [from ?? "", to ?? ""];
  if (from || to) keys.set("StudyDate", days.map((day) => day.replaceAll("-", "")).join("-"));
  if (modality) keys.set("ModalitiesInStudy", modality);
  return keys;
}

/**
 * Studies from the newest.
 * @param {URLSearchParams} keys
 * @param {{offset: number, limit: number}} page
 * @param {AbortSignal} signal
 * @returns {Promise<DicomJson[]>}
 */
export function searchStudies(keys, { offset, limit }, signal) {
  return search("studies", new URLSearchParams([...keys, ["limit", limit], ["offset", offset]]), signal);
}

/** @returns {Promise<DicomJson|undefined>} the study, if the archive has it */
export async function findStudy(study, signal) {
  return (await search("studies", new URLSearchParams({ StudyInstanceUID: study }), signal))[0];
}

/** @returns {Promise<DicomJson[]>} the series of a study in their order */
export function searchSeries(study, signal) {
  return search(`studies/${study}/series`, new URLSearchParams(), signal);
}

/**
 * The instances of a series in their order, however small the server's pages are.
 * @param {string} study
 * @param {string} series
 * @param {number} expected how many the series says it has
 * @param {AbortSignal} signal
 * @returns {Promise<DicomJson[]>}
 */
export async function searchInstances(study, series, expected, signal) {
  const found = [];
  let page;
  do {
    const keys = new URLSearchParams({ limit: PAGE, offset: found.length, includefield: "AvailableTransferSyntaxUID" });
    page = await search(`studies/${study}/series/${series}/instances`, keys, signal);
    found.push(...page);
  } while (page.length && found.length < expected);
  return found;
}

/** @returns {Promise<DicomJson>} the whole data set of one instance, without bulk data */
export async function instanceMetadata(study, series, instance, signal) {
  const path = `studies/${study}/series/${series}/instances/${instance}/metadata`;
  return (await search(path, new URLSearchParams(), signal))[0] ?? {};
}

/** @returns {string} */
export function studyThumbnail(study) {
  return new URL(`studies/${study}/thumbnail`, ROOT).href;
}

/** @returns {string} */
export function seriesThumbnail(study, series) {
  return new URL(`studies/${study}/series/${series}/thumbnail`, ROOT).href;
}

/**
 * The address of an instance as a browser can show it.
 * @param {{study: string, series: string, instance: string, frame?: number}} picture frame from 1
 * @param {string} [window] center, width and function, PS3.18 8.3.5.1.4
 * @returns {string}
 */
export function rendered({ study, series, instance, frame }, window) {
  const frames = frame ? `/frames/${frame}` : "";
  const url = new URL(`studies/${study}/series/${series}/instances/${instance}${frames}/rendered`, ROOT);
  if (window) url.searchParams.set("window", window);
  return url.href;
}

async function search(path, keys, signal) {
  const url = new URL(path, ROOT);
  url.search = keys.toString();
  return (await getJson(url, "application/dicom+json", signal)) ?? [];
}
