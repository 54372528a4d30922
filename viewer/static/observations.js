/** From FHIR observations to the rows of a table, without any drawing. */

import { formatDecimal, t } from "./i18n.js";
import { siteReference } from "./fhir.js";

const TRACKING_IDENTIFIER = "112039"; // DCM
const LATERALITY = "272741003"; // SNOMED CT
const DOSE_SUMMARY = "73569-6"; // LOINC; its value says its components again, in words
/** UCUM codes as people write them; what a report calls its unit may be words. */
const UNITS = {
  1: "",
  Cel: "°C",
  "[hnsf'U]": "HU",
  cm2: "cm²",
  cm3: "cm³",
  mm2: "mm²",
  mm3: "mm³",
  "mGy.cm": "mGy·cm",
  "Gy.m2": "Gy·m²",
  um: "µm",
};

/**
 * @typedef {object} Row one value
 * @property {string} id of the Observation
 * @property {string} name @property {string} value @property {string} status
 * @property {string[]} details what modifies it: method, components, interpretation
 *
 * @typedef {object} Group what was measured together
 * @property {string|null} id of the Observation, null for values that stand alone
 * @property {string} tracking @property {string} finding @property {string} site @property {string} status
 * @property {Row[]} rows
 */

/**
 * The groups in the order of the answer; values outside any group come last, as one group.
 * @param {object[]} observations
 * @param {Map<string, object>} sites body structures by reference
 * @returns {Group[]}
 */
export function groupObservations(observations, sites) {
  const byId = new Map(observations.map((observation) => [observation.id, observation]));
  const membersOf = (observation) =>
    (observation.hasMember ?? []).map((member) => byId.get(member.reference?.split("/").at(-1))).filter(Boolean);
  const members = new Set(observations.flatMap(membersOf));
  const isGroup = (observation) => Boolean(observation.hasMember?.length);
  const saysSomething = (observation) => valueText(observation) || !membersOf(observation).every(isGroup);
  const groups = observations.filter(isGroup).filter(saysSomething).map((observation) => ({
    ...heading(observation, sites),
    finding: valueText(observation) || conceptText(observation.code),
    rows: membersOf(observation).filter((member) => !isGroup(member)).flatMap(rowsOf),
  }));
  const alone = observations.filter((observation) => !isGroup(observation) && !members.has(observation));
  return [...groups, ...standingAlone(alone, sites)];
}

/** @returns {string} what a CodeableConcept says to a reader */
export function conceptText(concept) {
  const coding = concept?.coding ?? [];
  return concept?.text ?? coding.find(({ display }) => display)?.display ?? coding[0]?.code ?? "";
}

/** @returns {string} the value of an Observation or component with its unit; empty when it has none */
export function valueText(item) {
  if (item.valueQuantity) return quantityText(item.valueQuantity);
  if (item.valueCodeableConcept) return conceptText(item.valueCodeableConcept);
  if (item.valueRange) return [item.valueRange.low, item.valueRange.high].map(quantityText).join(" – ");
  if (item.valueRatio) return [item.valueRatio.numerator, item.valueRatio.denominator].map(quantityText).join(" : ");
  if (item.valueBoolean !== undefined) return t(item.valueBoolean ? "value.yes" : "value.no");
  if (item.valuePeriod) return [item.valuePeriod.start, item.valuePeriod.end].filter(Boolean).join(" – ");
  return String(item.valueString ?? item.valueInteger ?? item.valueDateTime ?? item.valueTime ?? "");
}

/**
 * The place in the body with its side, wherever the side is said: in the text of the site, in the body
 * structure, or in a component.
 * @returns {string}
 */
export function siteText(observation, sites) {
  const reference = siteReference(observation);
  const contained = observation.contained?.find((resource) => `#${resource.id}` === reference);
  const structure = contained ?? sites.get(reference);
  const place = conceptText(observation.bodySite) || conceptText(structure?.location);
  const qualifiers = (structure?.locationQualifier ?? []).map(conceptText);
  const sides = (observation.component ?? []).filter(isLaterality).map(valueText);
  const isNew = (word) => word && !place.toLowerCase().includes(word.toLowerCase());
  return [place, ...new Set([...qualifiers, ...sides].filter(isNew))].filter(Boolean).join(", ");
}

function heading(observation, sites) {
  const tracking = (observation.identifier ?? []).find((identifier) =>
    identifier.type?.coding?.some(({ code }) => code === TRACKING_IDENTIFIER),
  );
  return {
    id: observation.id,
    tracking: tracking?.value ?? "",
    site: siteText(observation, sites),
    status: observation.status ?? "unknown",
  };
}

/** An observation with parts only, such as a dose summary, is a group of its own; plain values share one. */
function standingAlone(observations, sites) {
  const isSummary = (observation) => observation.component?.length > 1;
  const summaries = observations.filter(isSummary).map((observation) => ({
    ...heading(observation, sites),
    finding: conceptText(observation.code),
    rows: rowsOf(observation),
  }));
  const plain = observations.filter((observation) => !isSummary(observation));
  const rows = plain.flatMap((observation) => {
    const site = siteText(observation, sites);
    return rowsOf(observation).map((row) => ({ ...row, details: [site, ...row.details].filter(Boolean) }));
  });
  const rest = { id: null, tracking: "", finding: t("measurements.others"), site: "", status: "", rows };
  return rows.length ? [...summaries, rest] : summaries;
}

/** A value with what modifies it is one row; an observation without a value gives a row for each component. */
function rowsOf(observation) {
  const { id, status = "unknown" } = observation;
  const components = (observation.component ?? []).filter((component) => !isLaterality(component));
  const saysItTwice = isCoded(observation, DOSE_SUMMARY) && components.length > 0;
  const value = saysItTwice ? "" : valueText(observation);
  if (!value && components.length) {
    return components.map((component) => ({ id, status, details: [], ...named(component) }));
  }
  const details = components.map(named).map((part) => `${part.name}: ${part.value}`);
  const method = observation.method && t("measurements.method", { method: conceptText(observation.method) });
  const meaning = (observation.interpretation ?? []).map(conceptText);
  return [{ id, status, ...named(observation), details: [method, ...meaning, ...details].filter(Boolean) }];
}

function named(item) {
  return { name: conceptText(item.code), value: valueText(item) || absence(item) };
}

/** Why there is no value: an absent one must never look like a zero. */
function absence(item) {
  const reason = conceptText(item.dataAbsentReason);
  return reason ? t("value.absentBecause", { reason }) : t("value.absent");
}

function isLaterality(component) {
  return isCoded(component, LATERALITY);
}

function isCoded(item, wanted) {
  return Boolean(item.code?.coding?.some(({ code }) => code === wanted));
}

function quantityText(quantity) {
  if (quantity?.value === undefined) return "";
  const spoken = formatDecimal(String(quantity.value));
  return [`${quantity.comparator ?? ""}${spoken}`, unitText(quantity)].filter(Boolean).join(" ");
}

function unitText({ unit, code }) {
  return UNITS[code] ?? UNITS[unit] ?? unit ?? code ?? "";
}
