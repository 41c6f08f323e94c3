/** Security headers on every answer, against scripts, frames and pages of other sites. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';

type Directives = Record<string, readonly string[]>;
type Headers = readonly (readonly [name: string, value: string])[];

/** Pages may load from this origin only, and no page may frame them. */
const directives: Directives = {
  defaultSrc: ["'self'"],
  imgSrc: ["'self'", 'data:', 'blob:'], // the page shows a drawn digit before it sends it
  objectSrc: ["'none'"],
  scriptSrcAttr: ["'none'"],
  baseUri: ["'none'"],
  formAction: ["'self'"],
  frameAncestors: ["'none'"],
};

/** Computed once. @fastify/helmet computes them for each request, 5 % of the API's work on a prediction. */
export const securityHeaders: Headers = headersWith({});

export function addSecurityHeaders(app: FastifyInstance): void {
  add(app, securityHeaders);
}

/** Changes what the pages that are registered in this context from now on may load; for pages of other packages. */
export function letPagesLoad(app: FastifyInstance, change: Directives): void {
  add(app, headersWith(change));
}

function add(app: FastifyInstance, headers: Headers): void {
  app.addHook('onRequest', (_request, { raw }, done) => {
    setHeaders(raw, headers);
    done();
  });
}

export function setHeaders(response: ServerResponse, headers: Headers): void {
  for (const [name, value] of headers) response.setHeader(name, value);
}

function headersWith(change: Directives): Headers {
  const addTo = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: { ...directives, ...change } },
    xFrameOptions: { action: 'deny' },
    strictTransportSecurity: false, // set by the proxy that has the certificate
  });
  const headers: [string, string][] = [];
  const response = {
    setHeader: (name: string, value: string) => headers.push([name, value]),
    removeHeader: () => {},
  };
  addTo({} as IncomingMessage, response as unknown as ServerResponse, () => {});
  return headers;
}
