/** Lets pages of the origins in CORS_ORIGINS, by default none, call the API (CORS, Fetch standard, 3.2). */
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
const preflightSeconds = 600; // that a browser may cache the answer to a preflight

/** Register it before the guard: a preflight carries no key, and pages must be able to read refusals. */
export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  await app.register(cors, {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
    exposedHeaders,
    maxAge: preflightSeconds,
    strictPreflight: false, // other OPTIONS requests get the same answer, not the plugin's own 400
  });
}
