/** Each way to send a picture: of whatever type, as base64 in JSON, in forms of other clients. */
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageAt } from '../../../src/model/data/dataset.ts';
import { encodePng } from '../../../src/model/image/encode-png.ts';
import { mnist } from '../../model/data/mnist.ts';
import { type FormPart, form } from '../form.ts';
import { type Parts, startParts } from '../parts.ts';

const MiB = 1024 * 1024;
const [digit, other] = await Promise.all(
  [0, 1].map((index) => encodePng(imageAt(mnist.test, index), 28, 28)),
);
const jpeg = await sharp(digit).resize(280).negate().jpeg().toBuffer();

let parts: Parts;
let expected: { digit: readonly number[]; other: readonly number[] };
beforeAll(async () => {
  parts = await startParts();
  await parts.publishAndServe();
  const probabilitiesOf = async (image: Buffer) => (await send(image, 'image/png')).json().probabilities;
  expected = { digit: await probabilitiesOf(digit!), other: await probabilitiesOf(other!) };
});
afterAll(() => parts.close());

function send(payload: Buffer | string, type: string | null) {
  const headers = type === null ? {} : { 'content-type': type };
  return parts.app.inject({ method: 'POST', url: '/predict', headers, payload });
}

async function sendForm(files: readonly FormPart[]) {
  const { payload, type } = form(files);
  return send(payload, type);
}

describe('a picture as it is', () => {
  it.each([
    'application/octet-stream',
    'Application/Octet-Stream',
    'binary/octet-stream',
    'image/jpg',
    'image/pjpeg',
    'image/x-png',
    'image/*',
    '*/*',
    'IMAGE/PNG',
    'image/png; name="a.png"',
    'image/jpeg;charset=utf-8',
    'image/gif',
    'application/x-www-form-urlencoded',
    'application/json', // as HTTPie says of what comes on its standard input
    'text/plain',
    '',
    'png',
    'image/png, image/png',
    null,
  ])('is taken as %j, since its bytes decide', async (type) => {
    for (const picture of [digit!, jpeg]) {
      const response = await send(picture, type);
      expect(response.statusCode, response.body).toBe(200);
    }
    expect((await send(digit!, type)).json().probabilities).toEqual(expected.digit);
  });
});

describe('what is no picture', () => {
  const bmp = Buffer.from('BM\x36\x10\0\0\0\0\0\0\x36\0\0\0', 'latin1');
  const json = JSON.stringify({ image: digit!.toString('base64') });

  it.each([
    ['text', 'text/plain', 'hello'],
    ['a field', 'application/x-www-form-urlencoded', 'image=7'],
    ['JSON', 'application/x-www-form-urlencoded', json],
    ['JSON', 'text/plain', json],
    ['JSON', 'application/merge-patch+json', '{}'],
    ['a BMP', 'image/bmp', bmp],
    ['text', 'image/*', 'hello'],
    ['text', null, 'hello'],
    ['text', 'png', 'hello'],
    ['a form', 'multipart/mixed; boundary=trainyard-test-boundary', form([{ body: digit! }]).payload],
  ])('%s as %j is a 415 that says what to send', async (_what, type, payload) => {
    const response = await send(payload, type);
    expect(response.json()).toMatchObject({ status: 415, code: 'MEDIA_TYPE_UNSUPPORTED' });
    const named = [
      'PNG, JPEG, WebP, AVIF, GIF or TIFF',
      'multipart/form-data',
      '{"image": "<base64>"}',
      'application/json',
    ];
    const sent = type?.includes('/') ? [type.split(';')[0]!] : [];
    for (const words of [...named, ...sent]) expect(response.json().detail).toContain(words);
    expect(response.headers).not.toHaveProperty('accept-encoding'); // RFC 7694, section 3
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', null])(
    'JSON as %j is told which type to set',
    async (type) => {
      const { detail } = (await send(` ${json}`, type)).json();
      expect(detail).toContain('with Content-Type: application/json, got JSON as');
      expect(detail).toContain('set that header');
    },
  );

  it.each(['image/png', 'application/octet-stream', 'application/json'])(
    'a BMP as %s is a 415 that says what came',
    async (type) => {
      const response = await send(Buffer.concat([bmp, Buffer.from([0xff])]), type);
      expect(response.json()).toMatchObject({
        status: 415,
        code: 'IMAGE_TYPE_UNSUPPORTED',
        detail: expect.stringContaining('a BMP'),
      });
    },
  );
});

describe('base64 in JSON', () => {
  const standard = digit!.toString('base64');
  const url = digit!.toString('base64url');
  const encoded = encodeURIComponent(standard);
  it('is of a picture whose base64 differs between alphabets and is padded', () => {
    expect(standard).toMatch(/[+/][^]*=$/);
  });

  it.each([
    ['padded', standard],
    ['not padded', standard.replaceAll('=', '')],
    ['base64url', url],
    ['base64url, padded', url + '='.repeat((4 - (url.length % 4)) % 4)],
    ['in lines', standard.replaceAll(/.{76}/g, '$&\r\n')],
    ['between blanks', `\n  ${standard}\t`],
    ['percent-encoded', encoded],
    ['in a data URL', `data:image/png;base64,${standard}`],
    ['in a data URL of base64url', `data:image/png;base64,${url}`],
    ['in a data URL with a name', `data:image/png;name=a.png;base64,${standard}`],
    ['in a data URL with a quoted name', `data:image/png;name="a, b.png";base64,${standard}`],
    ['in a data URL with a percent-encoded name', `data:image/png;name=a%2Cb.png;base64,${standard}`],
    ['in a data URL with a character set', `data:image/png;charset=utf-8;base64,${standard}`],
    ['in a data URL without a type', `data:;base64,${standard}`],
    ['in a data URL of bytes', `data:application/octet-stream;base64,${standard}`],
    ['in a data URL of another type', `data:image/webp;base64,${standard}`],
    ['in a data URL of any image', `data:image/*;base64,${standard}`],
    ['in a data URL in upper case', `DATA:IMAGE/PNG;BASE64,${standard}`],
    ['in a data URL with blanks', ` data:image/png; base64,\n${standard}`],
    ['in a data URL in lines', `data:image/png;base64,${standard.replaceAll(/.{64}/g, '$&\n')}`],
    ['in a data URL, percent-encoded', `data:image/png;base64,${encoded}`],
    [
      'in a data URL, percent-encoded in lower case',
      `data:image/png;base64,${encoded.replaceAll(/%\w\w/g, (escape) => escape.toLowerCase())}`,
    ],
    ['in a data URL, with percent-encoded blanks', `data:image/png;base64,%20${encoded}%0A`],
  ])('is taken %s', async (_how, image) => {
    const response = await send(JSON.stringify({ image }), 'application/json');
    expect(response.statusCode, response.body.slice(0, 300)).toBe(200);
    expect(response.json().probabilities).toEqual(expected.digit);
  });

  it.each([
    ['other characters', '***'],
    ['a path', 'C:\\digit.png'],
    ['one digit too many', 'AAAAA'],
    ['padding in the middle', 'AA==AAAA'],
    ['too much padding', 'AA==='],
    ['a URL', 'https://example.com/7.png'],
    ['a data URL without base64', 'data:image/png,%89PNG'],
    ['a data URL of text', 'data:,hello'],
    ['a data URL that is cut off', 'data:image/png;base64'],
    ['two data URLs', 'data:;base64,data:;base64,AAAA'],
    ['a broken percent-encoding', 'data:;base64,AAAA%'],
    ['an invalid percent-encoding', 'data:;base64,AAAA%FF'],
    ['other characters, percent-encoded', 'AAAA%2A%2A'],
    ['a number', 7],
    ['nothing', null],
    ['an array', [standard]],
    ['an object', { data: standard }],
  ])('is not %s', async (_what, image) => {
    const response = await send(JSON.stringify({ image }), 'application/json');
    expect(response.json()).toMatchObject({
      status: 400,
      code: 'VALIDATION_FAILED',
      errors: [{ field: 'image', message: expect.stringMatching(/^expected .*base64.*, got ./) }],
    });
    const came = JSON.stringify(typeof image === 'string' ? image.slice(0, 80) : image);
    expect(response.json().detail).toContain(`got ${came.slice(0, 80)}`);
  });

  it.each([
    [{ image: standard, invert: true }, 'invert', 'expected no such field, only image'],
    [
      { images: [standard] },
      'image',
      'expected {"image": "<base64 of a PNG, JPEG, WebP, AVIF, GIF or TIFF>"}, got nothing',
    ],
    [{ images: [standard] }, 'images', 'expected no such field, only image'],
    [[standard], '(all)', expect.stringMatching(/expected an object, got \["iVBOR/)],
    [null, '(all)', expect.stringMatching(/expected an object, got null/)],
  ])('is a field of its own, and nothing else: %#', async (body, field, message) => {
    const { code, errors } = (await send(JSON.stringify(body), 'application/json')).json();
    expect(code).toBe('VALIDATION_FAILED');
    expect(errors).toContainEqual({ field, message });
    const fields = errors.map((error: { field: string }) => error.field);
    expect(fields.includes('image')).toBe(JSON.stringify(body).startsWith('{"images"'));
  });

  it('with a thousand other fields gets an answer of a few', async () => {
    const names = Array.from({ length: 1000 }, (_, index) => `${index}`.padStart(1000));
    const body = JSON.stringify({ image: standard, ...Object.fromEntries(names.map((name) => [name, 1])) });
    const response = await send(body, 'application/json');
    expect(response.statusCode).toBe(400);
    expect(response.body.length).toBeLessThan(10_000);
  });

  it.each(['', ' ', 'data:;base64,', 'data:image/png;base64,%20'])(
    'of nothing is an empty image: %j',
    async (image) => {
      const response = await send(JSON.stringify({ image }), 'application/json');
      expect(response.json()).toMatchObject({ status: 422, code: 'IMAGE_EMPTY' });
    },
  );
});

describe('a form', () => {
  const file = { body: digit! };

  it.each<[string, FormPart[]]>([
    ['in the field "file"', [{ ...file, name: 'file' }]],
    ['in a field without a name', [{ ...file, name: '' }]],
    ...['__proto__', 'constructor', 'toString', 'images[]', 'image[0]', 'Bild ü', 'image"'].map(
      (name): [string, FormPart[]] => [`in the field ${name}`, [{ ...file, name }]],
    ),
    ['with a text before it', [{ name: 'note', text: 'a seven' }, file]],
    ['with a text after it', [file, { name: 'image', text: 'a seven' }]],
    ['with an empty text', [{ name: 'note', text: '' }, file]],
    ['with a text called __proto__', [{ name: '__proto__', text: 'x' }, file]],
    [
      'with a text in Latin-1',
      [{ name: 'note', body: Buffer.from('sept é', 'latin1'), filename: null, type: null }, file],
    ],
    ['with JSON', [{ name: 'metadata', text: '{"broken":', type: 'application/json' }, file]],
    ['with a hundred texts', [...Array.from({ length: 100 }, () => ({ text: 'x' })), file]],
    ['with half a megabyte of text', [{ text: 'x'.repeat(MiB / 2) }, file]],
    [
      'with a file input that was left empty',
      [{ text: '', filename: '', type: 'application/octet-stream' }, file],
    ],
    ['as application/octet-stream', [{ ...file, type: 'application/octet-stream' }]],
    ['as text/plain', [{ ...file, type: 'text/plain' }]],
    ['without a type', [{ ...file, type: null }]],
    ['without a file name', [{ ...file, filename: null }]],
    ['with an empty file name', [{ ...file, filename: '' }]],
    ['without a file name, as bytes', [{ ...file, filename: null, type: 'application/octet-stream' }]],
    ['without a file name and without a type', [{ ...file, filename: null, type: null }]],
    ['with a name of its own', [{ ...file, filename: '../../siebente „Sieben“.PNG' }]],
  ])('gives its file: %s', async (_what, files) => {
    const response = await sendForm(files);
    expect(response.statusCode, response.body).toBe(200);
    expect(response.json().probabilities).toEqual(expected.digit);
  });

  it('gives its files in their order, whatever their fields are called', async () => {
    const response = await sendForm([
      { name: 'b', body: digit! },
      { name: 'note', text: 'between' },
      { name: 'a', body: other!, filename: null },
      { name: 'b', body: jpeg },
      { name: 'image', body: digit! },
    ]);
    const answers = response
      .json()
      .predictions.map(({ probabilities }: { probabilities: number[] }) => probabilities);
    expect(answers).toHaveLength(4);
    for (const [index, probabilities] of [expected.digit, expected.other, null, expected.digit].entries()) {
      for (const [of, probability] of (probabilities ?? []).entries())
        expect(answers[index][of]).toBeCloseTo(probability, 5);
    }
  });

  it.each<[string, FormPart[], number, string]>([
    ['no file', [{ name: 'image', text: 'a seven' }], 400, 'FORM_NOT_READABLE'],
    ['no file but base64', [{ text: digit!.toString('base64') }], 400, 'FORM_NOT_READABLE'],
    ['a file input that was left empty', [{ text: '', filename: '' }], 400, 'FORM_NOT_READABLE'],
    ['an empty file', [{ text: '', filename: 'a.png' }], 422, 'IMAGE_EMPTY'],
    [
      'a file of text',
      [{ text: 'hello', filename: 'a.txt', type: 'text/plain' }],
      415,
      'IMAGE_TYPE_UNSUPPORTED',
    ],
    [
      '17 files in other fields',
      Array.from({ length: 17 }, () => ({ ...file, name: 'x' })),
      413,
      'TOO_MANY_IMAGES',
    ],
    [
      'a large file without a name',
      [{ body: Buffer.alloc(15 * MiB + 1), filename: null }],
      413,
      'IMAGE_TOO_LARGE',
    ],
    ['117 texts', [file, ...Array.from({ length: 116 }, () => ({ text: 'x' }))], 413, 'FORM_TOO_LARGE'],
    ['10,000 texts', [...Array.from({ length: 10_000 }, () => ({ text: 'x' })), file], 413, 'FORM_TOO_LARGE'],
    ['much text', [{ text: 'x'.repeat(MiB + 1) }, file], 413, 'FORM_TOO_LARGE'],
    [
      'much text in many',
      [...Array.from({ length: 50 }, () => ({ text: 'x'.repeat(30_000) })), file],
      413,
      'FORM_TOO_LARGE',
    ],
    ['far too much text', [{ text: 'x'.repeat(20 * MiB) }, file], 413, 'IMAGE_TOO_LARGE'],
  ])('with %s is refused', async (_what, files, status, code) => {
    expect((await sendForm(files)).json()).toMatchObject({ status, code });
  });

  it('is told what is wrong with it', async () => {
    const { detail } = (await sendForm([{ name: 'image', text: 'a seven' }])).json();
    expect(detail).toMatch(/^expected a .*form with .*files, got: .*no file/);
  });
});
