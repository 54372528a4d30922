/** FHIR R4: the observations of a study, with the body structures that they point to. */

import { RequestFailed, getJson } from "./api.js";

const ROOT = new URL("fhir/", document.baseURI);
const JSON_FORMAT = "application/fhir+json";
const MOST_PAGES = 100;
const BODY_SITE = "http://hl7.org/fhir/StructureDefinition/bodySite";

/**
 * All observations that are part of a study.
 * @param {string} study Study Instance UID, which is also the ImagingStudy's id
 * @param {AbortSignal} signal
 * @returns {Promise<{observations: object[], sites: Map<string, object>}>} sites: by their reference
 */
export async function observationsOfStudy(study, signal) {
  const first = new URL("Observation", ROOT);
  first.search = new URLSearchParams({ "part-of": `ImagingStudy/${study}`, _count: "200" });
  const resources = await pages(first, signal);
  const observations = resources.filter((resource) => resource.resourceType === "Observation");
  return { observations, sites: await bodyStructures(observations, resources, signal) };
}

/**
 * Have the archive make a report of an Observation. Rejects with RequestFailed.
 * @param {object} observation
 * @param {AbortSignal} signal
 */
export async function createObservation(observation, signal) {
  const headers = { "Content-Type": JSON_FORMAT, Accept: JSON_FORMAT };
  const request = { method: "POST", headers, body: JSON.stringify(observation), signal };
  const answer = await fetch(new URL("Observation", ROOT), request).catch(() => ({ ok: false, status: 0 }));
  if (!answer.ok) throw new RequestFailed(answer.status);
}

/** @returns {string} the address of a resource as JSON, for people to look at */
export function resourceUrl(type, id) {
  return new URL(`${type}/${encodeURIComponent(id)}?_format=json`, ROOT).href;
}

/** @returns {string|undefined} the reference to the BodyStructure that a bodySite bears in R4 */
export function siteReference(observation) {
  const extensions = [...(observation.bodySite?.extension ?? []), ...(observation.extension ?? [])];
  return extensions.find((extension) => extension.url === BODY_SITE)?.valueReference?.reference;
}

/**
 * JSON in which a decimal keeps the digits it was sent with: 1.20 is not 1.2 (FHIR R4 2.24.0.1).
 * Numbers named `value` become text where the browser can tell how they were written.
 * @param {string} text
 */
export function parseFhir(text) {
  return JSON.parse(text, (key, value, context) =>
    key === "value" && typeof value === "number" && context?.source ? context.source : value,
  );
}

async function pages(first, signal) {
  const resources = [];
  const seen = new Set();
  for (let url = first; url && !seen.has(url.href) && seen.size < MOST_PAGES; ) {
    seen.add(url.href);
    const bundle = await getJson(url, JSON_FORMAT, signal, parseFhir);
    resources.push(...(bundle?.entry ?? []).map((entry) => entry.resource).filter(Boolean));
    url = nextPage(bundle);
  }
  return resources;
}

/** The next page under the address of this page, whatever name a proxy hides it behind. */
function nextPage(bundle) {
  const link = bundle?.link?.find((candidate) => candidate.relation === "next")?.url;
  if (!link) return null;
  const next = new URL(link, ROOT);
  const here = new URL("Observation", ROOT);
  here.search = next.search;
  return here;
}

/** Asked for only where the site has no text of its own, which would tell its side as well. */
async function bodyStructures(observations, resources, signal) {
  const sites = new Map();
  for (const resource of resources.filter(({ resourceType }) => resourceType === "BodyStructure")) {
    sites.set(`BodyStructure/${resource.id}`, resource);
  }
  const wanted = new Set(observations.filter(({ bodySite }) => !bodySite?.text).map(siteReference));
  await Promise.all(
    [...wanted]
      .filter((reference) => /^BodyStructure\/[A-Za-z0-9.-]{1,64}$/.test(reference ?? "") && !sites.has(reference))
      .map(async (reference) => {
        const found = await getJson(new URL(reference, ROOT), JSON_FORMAT, signal).catch(() => null);
        if (found) sites.set(reference, found);
      }),
  );
  return sites;
}
