/** Pages of other origins that may call the API (CORS, Fetch standard, 3.2): those of CORS_ORIGINS, none by default. */
import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

/** Response headers that a page of another origin may read. */
const exposedHeaders = [
  'Allow',
  'ETag',
  'Location',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'Retry-After',
  'WWW-Authenticate',
  'X-Label',
  'X-Request-Id',
];
const preflightSeconds = 600; // that a browser may keep an answer

/** Goes before the guard: a preflight carries no key, and a page has to be able to read a refusal. */
export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  await app.register(cors, {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
    exposedHeaders,
    maxAge: preflightSeconds,
    strictPreflight: false, // an OPTIONS of another kind gets the same answer, rather than a 400 in other words
  });
}
