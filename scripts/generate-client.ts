/**
 * Writes src/client/schema.ts: the types of every call, from the OpenAPI document that the server gives. The client, and
 * with it the page and the command line, then know exactly what the API takes and answers.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import openapiTS, { astToString } from 'openapi-typescript';
import { pino } from 'pino';
import { type AppDependencies, buildApp } from '../src/app.ts';
import { createMetrics } from '../src/routes/metrics.ts';

const target = join(import.meta.dirname, '../src/client/schema.ts');
const header =
  '// Made by scripts/generate-client.ts from the OpenAPI document: change the routes, not this file.\n';

/** Routes are only registered: no part is asked for anything. */
const parts = {
  queue: {},
  feed: {},
  store: {},
  registry: {},
  predictor: {},
  corrections: {},
  datasets: {},
  imports: {},
} as Pick<
  AppDependencies,
  'queue' | 'feed' | 'store' | 'registry' | 'predictor' | 'corrections' | 'datasets' | 'imports'
>;
const app = await buildApp({
  ...parts,
  kept: null,
  dataDir: '',
  datasetLimits: { archiveBytes: 0, allBytes: 0 },
  promote: 'unless-worse',
  access: {
    apiKeys: [],
    allowAnonymous: true,
    trustProxy: false,
    keepAliveSeconds: 75,
    corsOrigins: [],
    requestsPerMinute: null,
  },
  metrics: createMetrics(),
  log: pino({ level: 'silent' }),
});
await app.ready();
// What a schema describes is the server's answer: a field with a default is always in it.
const types = await openapiTS(JSON.stringify(app.swagger()), {
  alphabetize: true,
  defaultNonNullable: false,
});
mkdirSync(dirname(target), { recursive: true });
writeFileSync(target, header + astToString(types));
await app.close();
