/** The headers that keep other sites' pages and scripts away from every answer. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';

type Directives = Record<string, readonly string[]>;
type Headers = readonly (readonly [name: string, value: string])[];

/** A page may come from this origin and load from it; nothing else may be loaded, and no page may frame it. */
const directives: Directives = {
  defaultSrc: ["'self'"],
  imgSrc: ["'self'", 'data:', 'blob:'], // a drawn digit is one before it is sent
  objectSrc: ["'none'"],
  scriptSrcAttr: ["'none'"],
  baseUri: ["'none'"],
  formAction: ["'self'"],
  frameAncestors: ["'none'"],
};

/** Worked out once: @fastify/helmet does it for each request, a twentieth of the work on a prediction here. */
export const securityHeaders: Headers = headersWith({});

export function addSecurityHeaders(app: FastifyInstance): void {
  add(app, securityHeaders);
}

/** For pages that others have made: what those registered in this context from now on may load instead. */
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
    strictTransportSecurity: false, // for the proxy that has the certificate to say
  });
  const headers: [string, string][] = [];
  const response = {
    setHeader: (name: string, value: string) => headers.push([name, value]),
    removeHeader: () => {},
  };
  addTo({} as IncomingMessage, response as unknown as ServerResponse, () => {});
  return headers;
}
