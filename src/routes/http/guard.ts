/**
 * Who may ask, and how often: loopback only or API keys, the rate limit. It stands
 * before every route, unknown paths too; a route that anyone may ask says `config: { anonymous: true }`.
 */
import bearerAuth from '@fastify/bearer-auth';
import rateLimit from '@fastify/rate-limit';
import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isLoopback } from '../../lib/loopback.ts';
import { HttpProblem, problems } from './problem.ts';
import { refuseProxied, type TrustProxy } from './proxies.ts';

export type Access = {
  readonly apiKeys: readonly string[]; // empty: nobody is asked for one
  readonly allowAnonymous: boolean; // without keys: also from other hosts
  readonly trustProxy: TrustProxy; // whose X-Forwarded-* headers are believed
  readonly keepAliveSeconds: number; // that an idle connection stays open
  readonly corsOrigins: readonly string[]; // other origins whose pages may ask
  readonly requestsPerMinute: number | null; // a key, or an address where there are no keys; null: any number
};

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered without an API key and whatever the rate. */
    anonymous?: boolean;
    /** For pages: also takes the key as the password of HTTP Basic, which browsers ask for. */
    basic?: boolean;
  }
}

/** Goes before the routes: hooks apply to what is registered after them. */
export async function registerGuard(app: FastifyInstance, access: Access): Promise<void> {
  documentRefusals(app, access);
  if (access.apiKeys.length > 0) await requireKey(app, access.apiKeys);
  else if (!access.allowAnonymous) refuseOthers(app, access);
  if (access.requestsPerMinute !== null) await limitRate(app, access.requestsPerMinute, access.apiKeys);
}

/** For plugins that bring routes of their own: all that are registered in this context from now on are anonymous. */
export function letAnyoneAsk(app: FastifyInstance): void {
  configure(app, { anonymous: true });
}

/** Likewise, for pages that need the key. A browser sends it along by itself from then on: only for what changes nothing. */
export function letBrowsersSendKey(app: FastifyInstance): void {
  configure(app, { basic: true });
}

function configure(app: FastifyInstance, config: FastifyContextConfig): void {
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, ...config };
  });
}

/** For a document's `components.securitySchemes` and `security`. */
export function describeAccess({ apiKeys }: Access) {
  const description = 'A key of API_KEY; where that is unset, none is asked for';
  return {
    securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description } },
    security: apiKeys.length > 0 ? [{ bearer: [] }] : [],
  } as const;
}

/** Adds to the schema of every route what the guard may answer in its place. */
function documentRefusals(app: FastifyInstance, { apiKeys, requestsPerMinute }: Access): void {
  const refusals = {
    ...(apiKeys.length > 0 ? problems(401) : problems(403)),
    ...(requestsPerMinute !== null && problems(429)),
  };
  app.addHook('onRoute', (route) => {
    const { response, ...schema } = route.schema ?? {};
    if (schema.hide === true) return;
    route.schema =
      route.config?.anonymous === true
        ? { ...route.schema, security: [] }
        : { ...schema, response: { ...refusals, ...(response as object) } };
  });
}

const bearerPrefix = 'bearer '.length;

async function requireKey(app: FastifyInstance, keys: readonly string[]): Promise<void> {
  await app.register(bearerAuth, {
    keys: [...keys], // compared by crypto.timingSafeEqual
    addHook: false,
    specCompliance: 'rfc6749', // the scheme in any case, as RFC 9110 has it
    verifyErrorLogLevel: 'debug',
  });
  app.addHook('onRequest', (request, reply, done) => {
    if (isAnonymous(request)) return done();
    if (takesBasic(request)) takePassword(request);
    app.verifyBearerAuth!(request, reply, (error) => done(error && refuseKey(request, reply)));
  });
}

/** As if it had come as a bearer key: compared and counted in the same way. */
function takePassword({ headers }: FastifyRequest): void {
  const [, encoded = ''] = /^basic +(\S+) *$/i.exec(headers.authorization ?? '') ?? [];
  const [, password] = /^[^:]*:(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
  if (password !== undefined) headers.authorization = `Bearer ${password}`;
}

/** The challenge of RFC 6750, section 3: an error is named only where a key was sent. Of RFC 7617 for pages. */
function refuseKey(request: FastifyRequest, reply: FastifyReply): HttpProblem {
  const sent = /^bearer /i.test(request.headers.authorization ?? '');
  const scheme = takesBasic(request) ? 'Basic' : 'Bearer';
  const challenge = `${scheme} realm="trainyard"`;
  const error = sent && scheme === 'Bearer' ? ', error="invalid_token"' : '';
  reply.header('www-authenticate', challenge + error);
  const other = request.headers.authorization === undefined ? 'none' : 'another scheme';
  const came = sent ? 'a key that is not one of them' : other;
  const orPassword = scheme === 'Basic' ? ', or the key as the password of any user' : '';
  const detail = `expected the header "Authorization: Bearer KEY" with a key of API_KEY${orPassword}, got ${came}`;
  return new HttpProblem({ status: 401, code: 'UNAUTHORIZED', detail });
}

/**
 * Listening on loopback keeps other hosts out, but neither the clients of a proxy on this machine nor the pages of other
 * sites in a browser on it. Pages can send a POST here, or read answers under a name of theirs that resolves to
 * 127.0.0.1 (DNS rebinding).
 */
function refuseOthers(app: FastifyInstance, { corsOrigins }: Access): void {
  app.addHook('onRequest', (request, _reply, done) => {
    if (isAnonymous(request)) return done();
    const detail = refuseProxied(request) ?? refuseSite(request, corsOrigins);
    if (detail === null) return done();
    done(new HttpProblem({ status: 403, code: 'OTHER_SITE', detail }));
  });
}

/** Why a request is not one by this machine's own programs and pages; null if it is. */
function refuseSite(request: FastifyRequest, origins: readonly string[]): string | null {
  const { hostname, host, headers } = request;
  const { origin } = headers;
  const isAllowed = origin === undefined || sameHost(origin, host) || origins.includes(origin);
  if (isLoopback(hostname) && isAllowed) return null;
  const came = `Host ${host}${origin === undefined ? '' : `, Origin ${origin}`}`;
  return `expected a request to a loopback address, from no other site, got ${came}; set API_KEY, or ALLOW_ANONYMOUS=true, to answer others, or CORS_ORIGINS for the pages of one origin`;
}

function sameHost(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host;
}

async function limitRate(app: FastifyInstance, max: number, keys: readonly string[]): Promise<void> {
  await app.register(rateLimit, {
    global: false, // by the hook below: for unknown paths too
    max,
    timeWindow: 60_000, // ms
    enableDraftSpec: true, // RateLimit-* rather than X-RateLimit-*
    ...(keys.length > 0 && { keyGenerator: keyOf }),
    errorResponseBuilder: (_request, { ttl }) => rateLimited(max, Math.ceil(ttl / 1000), keys.length > 0),
  });
  const count = app.rateLimit();
  app.addHook('onRequest', async function limit(request, reply) {
    if (!isAnonymous(request)) await count.call(this, request, reply);
  });
}

/** The key itself, so that spaces around it or the case of "Bearer" make no second one of it. */
function keyOf(request: FastifyRequest): string {
  return request.headers.authorization!.slice(bearerPrefix).trim();
}

function rateLimited(max: number, retryAfterSeconds: number, byKey: boolean): HttpProblem {
  const whose = byKey ? 'with one key' : 'from one address';
  const detail = `expected at most ${max} requests a minute ${whose}, got more; send the next in ${retryAfterSeconds} s, or set RATE_LIMIT`;
  return new HttpProblem({ status: 429, code: 'RATE_LIMITED', detail, retryAfterSeconds });
}

function isAnonymous(request: FastifyRequest): boolean {
  return request.routeOptions.config.anonymous === true;
}

function takesBasic(request: FastifyRequest): boolean {
  return request.routeOptions.config.basic === true;
}
