/** Arbitrary HTTP requests, near and far from right, as the bytes that go over the connection. */
import * as fc from 'fast-check';
import { body, latin1, number } from './bodies.ts';

export type RawRequest = {
  readonly method: string;
  readonly path: string;
  readonly route: string; // as OpenAPI names it
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
  /** Whether what is sent is a whole request in HTTP's sense, so that an answer must come. */
  readonly whole: boolean;
  /** Instead of all above: these bytes. */
  readonly garbage: Buffer | null;
};

const segment = fc.oneof(
  fc.constantFrom(
    '1',
    '0',
    '-1',
    '1e3',
    '%00',
    '%zz',
    '%2e%2e%2f',
    '..',
    '__proto__',
    'mnist',
    'input',
    '%ED%A0%80',
    'x'.repeat(300),
  ),
  fc.uuid({ version: 7 }),
  fc.string({ maxLength: 20 }).map(encodeURIComponent),
  fc.nat().map(String),
);
const query = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  {
    weight: 2,
    arbitrary: fc
      .array(
        fc.tuple(
          fc.constantFrom(
            'limit',
            'after',
            'status',
            'seed',
            'include',
            '__proto__',
            'constructor',
            'limit[]',
            'x',
          ),
          fc.oneof(segment, number),
        ),
        { minLength: 1, maxLength: 4 },
      )
      .map((pairs) => `?${pairs.map(([name, value]) => `${name}=${value}`).join('&')}`),
  },
);

const header = fc.oneof(
  fc.tuple(
    fc.constantFrom(
      'Accept',
      'Accept-Encoding',
      'Content-Encoding',
      'Idempotency-Key',
      'Last-Event-ID',
      'Range',
      'X-Forwarded-For',
    ),
    fc.constantFrom('gzip', '*/*;q=2', 'x'.repeat(300), '-1', '\xff\xfe', ''),
  ),
  fc.constantFrom<[string, string]>(
    ['Expect', '100-continue'],
    ['Expect', 'x'],
    ['Upgrade', 'websocket'],
    ['Cookie', 'x'.repeat(20_000)],
  ),
);

const method = fc.constantFrom(
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'OPTIONS',
  'HEAD',
  'TRACE',
  'PROPFIND',
  'BREW',
  'get',
);

type Routes = readonly { readonly route: string; readonly methods: readonly string[] }[];

/** One request to one of `routes`, or to none. */
export function anyRequest(routes: Routes): fc.Arbitrary<RawRequest> {
  const target = fc
    .constantFrom(...routes, { route: '/nope', methods: ['GET'] })
    .chain(({ route, methods }) =>
      fc.record({
        route: fc.constant(route),
        path: fc.tuple(fillIn(route), fc.constantFrom('', '', '', '/'), query).map((parts) => parts.join('')),
        method: fc.oneof(
          { weight: 4, arbitrary: fc.constantFrom(...methods) },
          { weight: 1, arbitrary: method },
        ),
      }),
    );
  const honest = fc
    .tuple(target, body, fc.array(header, { maxLength: 2 }))
    .map(([to, { type, coding, body: bytes }, extra]) => ({
      ...to,
      headers: [
        ['Content-Type', type] as const,
        ['Content-Length', String(bytes.length)] as const,
        ...(coding === undefined ? [] : [['Content-Encoding', coding] as const]),
        ...extra,
      ],
      body: bytes,
      whole: true,
      garbage: null,
    }));
  return fc
    .oneof(
      { weight: 12, arbitrary: honest },
      {
        weight: 3,
        arbitrary: target.map((to) => ({
          ...to,
          headers: [],
          body: Buffer.alloc(0),
          whole: true,
          garbage: null,
        })),
      },
      { weight: 2, arbitrary: fc.tuple(honest, lie).map(([request, change]) => change(request)) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(honest, garbage)
          .map(([request, bytes]) => ({ ...request, whole: false, garbage: bytes })),
      },
    )
    .map((request) => ({ ...request, [fc.toStringMethod]: () => show(request) })); // in messages
}

function fillIn(route: string): fc.Arbitrary<string> {
  const parts = route.split(/\{\w+\}/);
  return fc
    .array(segment, { minLength: parts.length, maxLength: parts.length })
    .map((values) => parts.map((part, index) => (index === 0 ? part : `${values[index]}${part}`)).join(''));
}

/** About the body's length, or how it is sent. */
const lie = fc.constantFrom<((request: RawRequest) => RawRequest)[]>(
  (request) => lengthOf(request, String(request.body.length + 100)),
  (request) => lengthOf(request, String(Math.floor(request.body.length / 2))),
  (request) => lengthOf(request, '-1'),
  (request) => lengthOf(request, '99999999999999999999'),
  (request) => lengthOf(request, '1, 2'),
  (request) => ({
    ...request,
    whole: false,
    headers: [...request.headers, ['Transfer-Encoding', 'chunked']],
  }),
  (request) => chunked(request, (bytes) => `${bytes.length.toString(16)}\r\n`),
  (request) => chunked(request, () => 'zz\r\n'),
);

function lengthOf(request: RawRequest, length: string): RawRequest {
  const headers = request.headers.filter(([name]) => name !== 'Content-Length');
  return { ...request, whole: false, headers: [...headers, ['Content-Length', length]] };
}

function chunked(request: RawRequest, size: (bytes: Buffer) => string): RawRequest {
  const headers = request.headers.filter(([name]) => name !== 'Content-Length');
  const bytes = Buffer.concat([latin1(size(request.body)), request.body, latin1('\r\n0\r\n\r\n')]);
  return { ...request, whole: false, headers: [...headers, ['Transfer-Encoding', 'chunked']], body: bytes };
}

const garbage = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc
    .constantFrom(
      'GET\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      'GET / HTTP/1.1\r\nno colon\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: localhost\r\n\0: x\r\n\r\n',
      'GET  /  HTTP/1.1\r\n\r\n',
      'CONNECT x:1 HTTP/1.1\r\nHost: localhost\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n',
      'GET http://other/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n',
      'GET /health/live HTTP/1.1\r\n\r\n',
      'GET /health/live HTTP/1.0\r\n\r\n',
      'GET /health/live HTTP/1.1\nHost: localhost\n\n',
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    )
    .map(latin1),
);

export function bytesOf({ method: verb, path, headers, body: bytes, garbage: raw }: RawRequest): Buffer {
  if (raw) return raw;
  const lines = [['Host', 'localhost'], ['Connection', 'close'], ...headers].map(
    ([name, value]) => `${name}: ${value}`,
  );
  return Buffer.concat([latin1(`${verb} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`), bytes]);
}

function show(request: RawRequest): string {
  return JSON.stringify(bytesOf(request).subarray(0, 1000).toString('latin1'));
}
