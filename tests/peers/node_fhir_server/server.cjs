// node-fhir-server-core with a service that keeps resources in memory. Prints {"address": ...}; ends
// with its input.
const { randomUUID } = require('node:crypto');
const { initialize, loggers, resolveSchema, constants } = require('@asymmetrik/node-fhir-server-core');

const version = constants.VERSIONS['4_0_1'] ? '4_0_1' : '4_0_0';
const types = ['Patient', 'ServiceRequest', 'Communication', 'QuestionnaireResponse', 'Task', 'RelatedPerson', 'Provenance'];
loggers.initialize?.({});
for (const name of loggers.container.loggers.keys()) loggers.container.get(name).transports.forEach((t) => { t.silent = true; });

function serviceOf(type) {
  const kept = new Map();
  const model = () => resolveSchema(version, type.toLowerCase());
  const made = (resource) => new (model())(resource);
  const identifiers = (resource) => [].concat(resource.identifier ?? []);
  return {
    async search(args, { req }) {
      const asked = req.query.identifier;
      const target = req.query.target;
      let found = [...kept.values()];
      if (asked) {
        const [system, value] = String(asked).split('|');
        found = found.filter((r) => identifiers(r).some((i) => i.system === system && i.value === value));
      }
      if (target) found = found.filter((r) => r.target?.some((t) => t.reference === target));
      const Bundle = resolveSchema(version, 'bundle');
      const entry = found.map((resource) => ({ resource: made(resource) }));
      return new Bundle({ type: 'searchset', total: entry.length, entry });
    },
    async searchById({ id }) {
      const found = kept.get(id);
      return found && made(found);
    },
    async create(args, { req }) {
      const id = randomUUID();
      kept.set(id, { ...req.body, id, meta: { ...req.body.meta, versionId: '1' } });
      return { id, resource_version: '1' };
    },
    async update({ id }, { req }) {
      const created = !kept.has(id);
      kept.set(id, { ...req.body, id, meta: { ...req.body.meta, versionId: '1' } });
      return { id, created, resource_version: '1' };
    },
    async remove({ id }) {
      kept.delete(id);
      return { deleted: 1 };
    },
  };
}

const profiles = Object.fromEntries(types.map((type) => [type, { service: serviceOf(type), versions: [version] }]));
const app = initialize({ profiles, logging: { level: 'error' } });
const server = app.app.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ address: `http://127.0.0.1:${server.address().port}/${version}` }));
});
process.stdin.resume().on('end', () => process.exit(0));
