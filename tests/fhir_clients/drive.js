// What fhir-kit-client makes of a FHIR server, as one line of JSON. Arguments: its address, a family name.
import { CapabilityTool, Client } from "fhir-kit-client";

const [baseUrl, family] = process.argv.slice(2);
const client = new Client({ baseUrl });
const ids = (bundle) => bundle.entry.map((entry) => entry.resource.id);

async function failure(asked) {
  try {
    await asked;
  } catch (error) {
    return { status: error.response.status, answer: error.response.data };
  }
  return null;
}

async function pages() {
  const found = [];
  let bundle = await client.search({ resourceType: "Observation", searchParams: { _count: 7 } });
  while (bundle) {
    found.push(ids(bundle));
    bundle = await client.nextPage({ bundle });
  }
  return found;
}

const tool = new CapabilityTool(await client.capabilityStatement());
const byPost = await client.search({
  resourceType: "Observation",
  searchParams: { "patient.family": family, _count: 1000 },
  options: { postSearch: true },
});
const withPatients = await client.search({
  resourceType: "Observation",
  searchParams: { _include: "Observation:patient", _revinclude: "DiagnosticReport:result", _count: 1000 },
});
const measured = byPost.entry[0].resource;
const read = await client.read({ resourceType: "Observation", id: measured.id });
const etag = Client.httpFor(read).response.headers.get("etag");
const notModified = await failure(
  client.read({ resourceType: "Observation", id: measured.id, options: { headers: { "If-None-Match": etag } } }),
);

console.log(
  JSON.stringify({
    reads: tool.resourceCan("Observation", "read"),
    creates: tool.resourceCan("Observation", "create"),
    searchesByFamily: tool.resourceSearch("Patient", "family"),
    pages: await pages(),
    chainedByPost: ids(byPost),
    included: withPatients.entry.filter((entry) => entry.search.mode === "include").map((e) => e.resource),
    same: JSON.stringify(read) === JSON.stringify(measured),
    resolved: await client.resolve({ reference: measured.subject.reference }),
    notModified,
    nothing: await failure(client.read({ resourceType: "Patient", id: "nothing" })),
    noDate: await failure(client.search({ resourceType: "Observation", searchParams: { date: "tomorrow" } })),
    refused: await failure(client.create({ resourceType: "Patient", body: { resourceType: "Patient" } })),
  }),
);
