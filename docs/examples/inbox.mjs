// An inbox in JavaScript (Node 20 or newer, nothing to install): create, find, update, page.
//   FHIR_BASE: base of the API; TOKEN: an access token (fhir-gateway client token --demo)
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";

const { FHIR_BASE, TOKEN } = process.env;
const REFERENCE = "https://w3id.org/fhir-gateway/Id/reference";

async function fhir(method, path, resource, headers = {}) {
  const url = path.startsWith(FHIR_BASE) ? path : `${FHIR_BASE}/${path}`;
  const answer = await fetch(url, {
    method,
    headers: {
      Authorization: `Bearer ${TOKEN}`,
      "Content-Type": "application/fhir+json",
      ...headers,
    },
    body: resource && JSON.stringify(resource),
  });
  const body = await answer.json();
  if (!answer.ok) {
    // Everything that goes wrong is an OperationOutcome.
    throw Object.assign(new Error(body.issue[0].diagnostics), { status: answer.status });
  }
  return body;
}

async function create() {
  const file = new URL("response.json", import.meta.url);
  const response = JSON.parse(await readFile(file, "utf8"));
  // The identifier is yours: the same again creates nothing twice.
  response.identifier = { system: "https://portal.example/requests", value: randomUUID() };
  const created = await fhir("POST", "QuestionnaireResponse", response);
  const given = created.extension.find((e) => e.url.endsWith("/response-reference"));
  return given.valueIdentifier.value;
}

async function find(reference) {
  const query = new URLSearchParams({ identifier: `${REFERENCE}|${reference}` });
  return (await fhir("GET", `Task?${query}`)).entry[0].resource;
}

async function takeUp(task) {
  for (;;) {
    try {
      return await fhir("PUT", `Task/${task.id}`, { ...task, status: "in-progress" });
    } catch (error) {
      if (error.status !== 412) throw error; // somebody, or the gateway itself, was first
      task = await fhir("GET", `Task/${task.id}`);
    }
  }
}

const reference = await create();
console.log(`created: reference ${reference}`);
const task = await takeUp(await find(reference));
console.log(`task ${task.id} is ${task.status}`);
let next = "Task?_count=2";
for (let number = 1; next && number <= 3; number += 1) {
  const page = await fhir("GET", next);
  const tasks = (page.entry ?? []).filter((e) => e.search.mode === "match");
  console.log(`page ${number}: ${tasks.length} tasks`);
  next = page.link.find((link) => link.relation === "next")?.url;
}
