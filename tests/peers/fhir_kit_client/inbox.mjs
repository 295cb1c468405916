// fhir-kit-client at work against the API; see README.md.
import { readFile } from "node:fs/promises";
import { Client } from "fhir-kit-client";

const { FHIR_BASE, TOKEN, RESPONSE } = process.env;
const REFERENCE = "https://w3id.org/fhir-gateway/Id/reference";
const client = new Client({ baseUrl: FHIR_BASE, bearerToken: TOKEN });

const statement = await client.capabilityStatement();
const smart = await client.smartAuthMetadata();
const created = await client.create({
  resourceType: "QuestionnaireResponse",
  body: JSON.parse(await readFile(RESPONSE, "utf8")),
});
const reference = created.extension.find((e) => e.url.endsWith("/response-reference"))
  .valueIdentifier.value;
const found = await client.search({
  resourceType: "Task",
  searchParams: { identifier: `${REFERENCE}|${reference}` },
});
const { id } = found.entry[0].resource;

let paged = 0;
let page = await client.search({ resourceType: "Task", searchParams: { _count: 1 } });
while (page) {
  paged += (page.entry ?? []).filter((e) => e.search.mode === "match").length;
  page = await client.nextPage({ bundle: page });
}

async function update(status) {
  for (let tries = 0; tries < 10; tries += 1) {
    const task = await client.read({ resourceType: "Task", id });
    try {
      return await client.update({ resourceType: "Task", id, body: { ...task, status } });
    } catch (error) {
      if (error.response?.status !== 412) throw error; // 412: the gateway itself was first
    }
  }
  throw new Error("always second");
}
await update("accepted");
const patched = await client.patch({
  resourceType: "Task",
  id,
  jsonPatch: [{ op: "replace", path: "/status", value: "in-progress" }],
});
let refused = "";
try {
  await update("requested");
} catch (error) {
  refused = error.response.data.issue[0].expression[0];
}
let missing = "found";
try {
  await client.read({ resourceType: "Task", id: "nowhere" });
} catch (error) {
  missing = error.response.status === 404 ? "not found" : String(error);
}
const operation = await client.operation({
  name: "populate",
  resourceType: "Questionnaire",
  method: "GET",
  input: { canonical: "https://w3id.org/fhir-gateway/Questionnaire/pifu-medical" },
});
const batch = await client.batch({
  body: {
    resourceType: "Bundle",
    type: "batch",
    entry: [{ request: { method: "GET", url: `Task/${id}` } }],
  },
});
console.log(
  JSON.stringify({
    reference,
    count: found.total,
    paged,
    status: patched.status,
    missing,
    refused,
    version: statement.fhirVersion,
    token: smart.tokenUrl?.href ?? "",
    populated: operation.parameter[0].resource.resourceType,
    batch: batch.entry[0].response.status,
  }),
);
