// A line with an array of FHIR R4 resources as XML and JSON in; a line with the same, each in the other form, out.
"use strict";

const { createInterface } = require("node:readline");
const { Fhir } = require("fhir");

const fhir = new Fhir();
const convert = (text) => (text.startsWith("<") ? fhir.xmlToJson(text) : fhir.jsonToXml(text));

createInterface({ input: process.stdin }).on("line", (line) => {
  console.log(JSON.stringify(JSON.parse(line).map(convert)));
});
