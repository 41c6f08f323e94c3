/** Arbitrary bodies for HTTP requests, near and far from right, with the headers that describe them. */
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import sharp from 'sharp';
import { whitePng } from '../model/image/picture-files.ts';
import { malformed, originals, png } from './pictures.ts';

const bomb = whitePng(12_000); // some kB that decode to 144 MB
const large = await sharp({ create: { width: 2000, height: 2000, channels: 4, background: '#fff' } })
  .png()
  .toBuffer(); // shrunk while it is decoded

export const latin1 = (text: string) => Buffer.from(text, 'latin1');

/** Values for which somebody's code broke once. */
const nasty = fc.constantFrom<unknown>(
  '__proto__',
  'constructor',
  'toString',
  '\0',
  'a\0b',
  '\ud800',
  '\udfff\ud800',
  '\u202e',
  '../../etc/passwd',
  '',
  -0,
  1e308,
  1e-320,
  Number.MAX_SAFE_INTEGER + 2,
  -1,
  0.5,
  null,
  true,
  [],
  {},
);

export const number = fc.constantFrom(
  '1e999',
  '-1e999',
  '1'.repeat(400),
  '00',
  'NaN',
  '0x10',
  '-',
  '1.',
  '9007199254740993',
);

/** Prints a value as JSON, with some numbers and keys that JSON.stringify would not write. */
const jsonText = (value: fc.Arbitrary<unknown>) =>
  fc.tuple(value, number, fc.nat(9)).map(([it, odd, choice]) => {
    const text = JSON.stringify(it);
    if (choice === 0) return text.replace(/\d+/, odd);
    if (choice === 1) return text.replace('{', '{"__proto__":{"x":1},');
    if (choice === 2) return text.replace('{', '{"constructor":{"prototype":{"x":1}},');
    return text;
  });

const deep = fc
  .tuple(fc.constantFrom('[', '{"a":', '{"metadata":{"a":', '{"image":['), fc.constantFrom(10, 1000, 20_000))
  .map(([open, depth]) => open + '['.repeat(depth) + ']'.repeat(depth) + (open === '[' ? ']' : '}}'));

const trainFields = {
  recipe: fc.constantFrom('default', 'article', 'x'),
  dataset: fc.constantFrom('mnist', '../mnist'),
  epochs: fc.integer({ min: -1, max: 1001 }),
  batchSize: fc.oneof(fc.integer(), fc.double()),
  learningRate: fc.double(),
  seed: fc.maxSafeInteger(),
  metadata: fc.dictionary(fc.string({ unit: 'binary' }), fc.oneof(fc.string({ unit: 'binary' }), nasty)),
};
const trainBody = fc.record(
  Object.fromEntries(
    Object.entries(trainFields).map(([name, right]) => [
      name,
      fc.oneof({ weight: 4, arbitrary: right }, nasty),
    ]),
  ),
  { requiredKeys: [] },
);
const dataUrl = fc
  .tuple(
    fc.constantFrom('data:', 'DATA:', 'data'),
    fc.constantFrom('image/png', 'image/png;name="a,b"', '', ';'.repeat(2000)),
    fc.constantFrom(';base64,', ';BASE64,', ',', ''),
    fc.oneof(fc.base64String(), fc.constantFrom(png.toString('base64url'), '%', '%2B', '%ED%A0%80', 'A')),
  )
  .map((pieces) => pieces.join(''));
const json = fc.oneof(
  jsonText(trainBody),
  jsonText(fc.record({ image: fc.oneof(fc.base64String(), dataUrl, nasty) })),
  jsonText(fc.anything({ withNullPrototype: false }).map((value) => value ?? {})).filter(Boolean),
  deep,
  fc.constant(JSON.stringify({ image: png.toString('base64') })),
);
const jsonBytes = fc.oneof(
  { weight: 5, arbitrary: json.map((text) => Buffer.from(text ?? '')) },
  { weight: 1, arbitrary: json.map((text) => Buffer.from(text ?? '', 'utf16le')) },
  {
    weight: 1,
    arbitrary: fc.tuple(json, fc.nat(100)).map(([text, at]) => Buffer.from((text ?? '').slice(0, at))),
  },
);

/** A picture with bytes changed and the end cut off, or one that is small only as a file. */
const formats = Object.keys(originals) as (keyof typeof originals)[];
const picture = fc.oneof(
  { weight: 8, arbitrary: fc.oneof(...formats.map(malformed)) },
  { weight: 1, arbitrary: fc.constantFrom(bomb, large) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes)) },
);

/** How a part is described besides its name. */
const partHead = fc.constantFrom(
  '; filename="a"\r\nContent-Type: image/png',
  '; filename="a\r\nContent-Type: image/png', // a quote that is left open
  '; filename=""\r\nContent-Type: application/octet-stream',
  '',
  '\r\nContent-Type: application/json',
  '\r\nContent-Type: text/plain; charset=utf-16',
);
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', 'x'.repeat(2_000_000)));
const content = fc.oneof(
  { weight: 3, arbitrary: picture },
  { weight: 1, arbitrary: text.map((it) => Buffer.from(it)) },
);
const form = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom('image', 'file', '__proto__', ''), partHead, content), {
      maxLength: 18,
    }),
    fc.constantFrom('b', 'c', '"', 'b'.repeat(80)),
    fc.option(fc.nat(2000), { freq: 2 }),
  )
  .map(([parts, boundary, end]) => {
    const pieces = parts.flatMap(([name, head, bytes]) => [
      latin1(`--b\r\nContent-Disposition: form-data; name="${name}"${head}\r\n\r\n`),
      bytes,
      latin1('\r\n'),
    ]);
    const body = Buffer.concat([...pieces, latin1('--b--\r\n')]);
    return { type: `multipart/form-data; boundary=${boundary}`, body: body.subarray(0, end ?? body.length) };
  });

const wellFormedForm = picture.map((bytes) => ({
  type: 'multipart/form-data; boundary=b',
  body: Buffer.concat([
    latin1('--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'),
    bytes,
    latin1('\r\n--b--\r\n'),
  ]),
}));

const contentType = fc.constantFrom(
  'image/png',
  'image/jpeg',
  'application/json',
  'application/json; charset=utf-16',
  'multipart/form-data',
  'multipart/form-data; boundary=',
  'application/octet-stream',
  'image/*',
  'text/plain',
  'application/x-www-form-urlencoded',
  'image/png, application/json',
  '/',
  '__proto__',
  '',
);
const plainBody = fc.oneof(
  { weight: 4, arbitrary: jsonBytes.map((bytes) => ({ type: 'application/json', body: bytes })) },
  { weight: 3, arbitrary: picture.map((bytes) => ({ type: 'image/png', body: bytes })) },
  { weight: 1, arbitrary: form },
  { weight: 1, arbitrary: wellFormedForm },
  {
    weight: 2,
    arbitrary: fc
      .tuple(contentType, fc.oneof(jsonBytes, picture))
      .map(([type, bytes]) => ({ type, body: bytes })),
  },
);

/** As any brotli, made in a tenth of the time. */
function brotli(bytes: Buffer): Buffer {
  return brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } });
}

type Coding = readonly [name: string, encode: (bytes: Buffer) => Buffer];
const codings: readonly Coding[] = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['br', brotli],
  ['identity', (bytes) => bytes],
  ['gzip', (bytes) => bytes],
  ['gzip, br', (bytes) => brotli(gzipSync(bytes))],
  ['zstd', (bytes) => bytes],
  ['__proto__', (bytes) => bytes],
  [',', (bytes) => bytes],
];
const zeros = Buffer.alloc(64 * 1024 * 1024);
const inflating = codings.slice(0, 5).map(([name, encode]) => ({ coding: name, bytes: encode(zeros) }));

/** Compressed, by its header at least; often cut off, or more than any route takes once it is inflated. */
const compressedBody = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(plainBody, fc.constantFrom(...codings), fc.option(fc.nat(300), { freq: 2 }))
      .map(([{ type, body: bytes }, [coding, encode], end]) => {
        const encoded = encode(bytes);
        return { type, coding, body: encoded.subarray(0, end ?? encoded.length) };
      }),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(contentType, fc.constantFrom(...inflating))
      .map(([type, { coding, bytes }]) => ({ type, coding, body: bytes })),
  },
);

export type Body = { readonly type: string; readonly coding?: string; readonly body: Buffer };

export const body: fc.Arbitrary<Body> = fc.oneof(
  { weight: 4, arbitrary: plainBody },
  { weight: 1, arbitrary: compressedBody },
);
