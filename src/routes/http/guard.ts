/**
 * Decides who may send requests, and how many: API keys or loopback only, and the rate limit. It runs before every route,
 * for unknown paths too. A route that is open to everyone declares `config: { anonymous: true }`.
 */
import bearerAuth from '@fastify/bearer-auth';
import rateLimit from '@fastify/rate-limit';
import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isLoopback } from '../../lib/loopback.ts';
import { configOf } from './methods.ts';
import { HttpProblem, problems } from './problem.ts';
import { refuseProxied, type TrustProxy } from './proxies.ts';

export type Access = {
  readonly apiKeys: readonly string[]; // empty: no key is required
  readonly allowAnonymous: boolean; // without keys: other hosts may send requests too
  readonly trustProxy: TrustProxy; // the proxies whose X-Forwarded-* headers are trusted
  readonly keepAliveSeconds: number; // that an idle connection stays open
  readonly corsOrigins: readonly string[]; // other origins whose pages may call the API
  readonly requestsPerMinute: number | null; // per key, or per address if there are no keys; null: unlimited
};

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sent it, for records that people read: the number of the key, never the key, and the address. */
    caller: string;
  }
  interface FastifyContextConfig {
    /** Needs no API key and does not count for the rate limit. */
    anonymous?: boolean;
    /** For pages: also accepts the key as the password of HTTP Basic, for which browsers prompt. */
    basic?: boolean;
  }
}

/** Call it before registering the routes: hooks apply to routes that are registered later. */
export async function registerGuard(app: FastifyInstance, access: Access): Promise<void> {
  documentRefusals(app, access);
  nameCallers(app, access);
  if (access.apiKeys.length > 0) await requireKey(app, access.apiKeys);
  else if (!access.allowAnonymous) refuseOthers(app, access);
  if (access.requestsPerMinute !== null) await limitRate(app, access.requestsPerMinute, access.apiKeys);
}

function nameCallers(app: FastifyInstance, { apiKeys }: Access): void {
  app.decorateRequest('caller', '');
  app.addHook('preHandler', (request, _reply, done) => {
    const key = apiKeys.indexOf(request.headers.authorization?.slice(bearerPrefix).trim() ?? '') + 1;
    request.caller = key > 0 ? `key ${key} of ${apiKeys.length}, ${request.ip}` : request.ip;
    done();
  });
}

/** What a person should know about who may send requests, for the log at start. */
export function warningsAbout({ apiKeys, allowAnonymous, trustProxy, requestsPerMinute }: Access): string[] {
  if (apiKeys.length > 0) return [];
  const warnings: string[] = [];
  if (allowAnonymous)
    warnings.push(
      'ALLOW_ANONYMOUS: whoever reaches this address can train and predict; API_KEY asks for a key',
    );
  if (trustProxy === true && requestsPerMinute !== null)
    warnings.push(
      'RATE_LIMIT with TRUST_PROXY=true: a client can choose the address that it is counted by; set TRUST_PROXY to the addresses of the proxies, such as 10.0.0.2 or 172.16.0.0/12',
    );
  return warnings;
}

/** Makes all routes that are registered in this context from now on anonymous; for plugins that add routes. */
export function letAnyoneAsk(app: FastifyInstance): void {
  configure(app, { anonymous: true });
}

/** Likewise accepts HTTP Basic. Browsers then send the key with every request by themselves: only for routes that change nothing. */
export function letBrowsersSendKey(app: FastifyInstance): void {
  configure(app, { basic: true });
}

function configure(app: FastifyInstance, config: FastifyContextConfig): void {
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, ...config };
  });
}

/** The OpenAPI document's `components.securitySchemes` and `security`. */
export function describeAccess({ apiKeys }: Access) {
  const description = 'A key of API_KEY; where that is unset, none is asked for';
  return {
    securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description } },
    security: apiKeys.length > 0 ? [{ bearer: [] }] : [],
  } as const;
}

/** Adds the guard's own answers to the schema of every route. */
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
    specCompliance: 'rfc6749', // the scheme in upper or lower case, as in RFC 9110
    verifyErrorLogLevel: 'debug',
  });
  app.addHook('onRequest', (request, reply, done) => {
    if (isAnonymous(request)) return done();
    if (takesBasic(request)) takePassword(request);
    app.verifyBearerAuth!(request, reply, (error) => done(error && refuseKey(request, reply)));
  });
}

/** Turns the password into a bearer key, which is compared and counted in the same way. */
function takePassword({ headers }: FastifyRequest): void {
  const [, encoded = ''] = /^basic +(\S+) *$/i.exec(headers.authorization ?? '') ?? [];
  const [, password] = /^[^:]*:(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
  if (password !== undefined) headers.authorization = `Bearer ${password}`;
}

/** Answers with the challenge of RFC 6750, section 3 (for pages, of RFC 7617). It names an error only if a key was sent. */
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
 * Listening on loopback keeps other hosts out, but neither the clients of a proxy on this machine nor pages of other
 * sites in a browser on it. Such pages can send a POST to this server, or read its answers through a name of their own
 * that resolves to 127.0.0.1 (DNS rebinding).
 */
function refuseOthers(app: FastifyInstance, { corsOrigins }: Access): void {
  app.addHook('onRequest', (request, _reply, done) => {
    if (isAnonymous(request)) return done();
    const detail = refuseProxied(request) ?? refuseSite(request, corsOrigins);
    if (detail === null) return done();
    done(new HttpProblem({ status: 403, code: 'OTHER_SITE', detail }));
  });
}

/** Says why a request does not come from this machine's own programs and pages; null if it does. */
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
    global: false, // the hook below covers unknown paths too
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

/** The key alone: spaces around it or the case of "Bearer" don't make it another one. */
function keyOf(request: FastifyRequest): string {
  return request.headers.authorization!.slice(bearerPrefix).trim();
}

function rateLimited(max: number, retryAfterSeconds: number, byKey: boolean): HttpProblem {
  const whose = byKey ? 'with one key' : 'from one address';
  const detail = `expected at most ${max} requests a minute ${whose}, got more; send the next in ${retryAfterSeconds} s, or set RATE_LIMIT`;
  return new HttpProblem({ status: 429, code: 'RATE_LIMITED', detail, retryAfterSeconds });
}

function isAnonymous(request: FastifyRequest): boolean {
  return configOf(request).anonymous === true;
}

function takesBasic(request: FastifyRequest): boolean {
  return configOf(request).basic === true;
}
