import * as fc from 'fast-check';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSplit } from '../../src/model/data/built-in.ts';
import { imageAt } from '../../src/model/data/dataset.ts';
import { encodePng } from '../../src/model/image/encode-png.ts';
import { readDigit } from '../../src/model/image/read-digit.ts';
import { memoryOf, predictorPid } from '../model/serving/processes.ts';
import { form } from './form.ts';
import { type Parts, startParts } from './parts.ts';

const test = await readSplit('mnist', 'test');
const digit = await encodePng(imageAt(test, 0), 28, 28);
const jpeg = await sharp(digit).resize(280).negate().jpeg().toBuffer();
/** Dark on white, 280×280. */
const drawings = await Promise.all(
  Array.from({ length: 10 }, async (_, index) => {
    const plain = await encodePng(imageAt(test, index), 28, 28);
    return sharp(plain).resize(280).negate().png().toBuffer();
  }),
);

let parts: Parts;
beforeAll(async () => {
  parts = await startParts();
});
afterAll(() => parts.close());

const predict = (payload: Buffer | string, type: string, query = '') =>
  parts.app.inject({ method: 'POST', url: `/predict${query}`, headers: { 'content-type': type }, payload });

describe('before the first model', () => {
  it('answers 503 NO_MODEL', async () => {
    const response = await predict(digit, 'image/png');
    expect(response.json()).toMatchObject({ status: 503, code: 'NO_MODEL' });
    expect(response.headers['retry-after']).toBe('1');
  });
});

describe('with a model', () => {
  beforeAll(async () => {
    await parts.publishAndServe();
  });

  describe('read=line', () => {
    /** Two digits side by side, dark on white, with a gap. */
    const twoDigits = async () =>
      sharp({ create: { width: 600, height: 300, channels: 3, background: 'white' } })
        .composite([
          { input: drawings[0]!, left: 10, top: 10 },
          { input: drawings[1]!, left: 310, top: 10 },
        ])
        .png()
        .toBuffer();

    it('gives each character with its box, from left to right', async () => {
      const { text, characters, model } = (
        await predict(await twoDigits(), 'image/png', '?read=line')
      ).json();
      expect(text).toMatch(/^\d\d$/);
      expect(characters).toHaveLength(2);
      const [first, second] = characters;
      for (const { box } of [first, second]) {
        expect(box.height).toBeGreaterThan(150);
        expect(box.y + box.height).toBeLessThanOrEqual(300);
      }
      expect(first.box.x + first.box.width).toBeLessThan(second.box.x);
      expect(model).toMatchObject({ version: 1, alias: 'champion' });
    });

    it('gives one answer for each image of a form', async () => {
      const { payload, type } = form([
        { name: 'image', body: await twoDigits() },
        { name: 'image', body: drawings[0]! },
      ]);
      const { predictions } = (await predict(payload, type, '?read=line')).json();
      expect(predictions.map(({ text }: { text: string }) => text.length)).toEqual([2, 1]);
    });

    it('says what of one character says too: no ink, no picture', async () => {
      const blank = await encodePng(new Uint8Array(100 * 100), 100, 100);
      expect((await predict(blank, 'image/png', '?read=line')).json().code).toBe('IMAGE_NO_INK');
      expect((await predict('text', 'image/png', '?read=line')).json().code).toBe('IMAGE_TYPE_UNSUPPORTED');
    });

    it.each(['include=input', 'top=3', 'include=input&top=3'])(
      "can't be asked for with %s",
      async (query) => {
        const response = await predict(digit, 'image/png', `?read=line&${query}`);
        expect(response.json()).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
      },
    );

    it('of one that is to be told of several says so in a warning', async () => {
      const answer = (await predict(await twoDigits(), 'image/png')).json();
      expect(answer.warnings.map(({ code }: { code: string }) => code)).toContain('SEVERAL_SHAPES');
      expect(answer.verdict).toBe('unsure');
    });
  });

  describe('each form of body', () => {
    it.each([
      ['image/png', digit],
      ['image/jpeg', jpeg],
      ['application/json', JSON.stringify({ image: digit.toString('base64') })],
      ['application/json', JSON.stringify({ image: `data:image/png;base64,${digit.toString('base64')}` })],
    ])('%s gives one answer', async (type, payload) => {
      const response = await predict(payload, type);
      expect(response.statusCode).toBe(200);
      const answer = response.json();
      expect(answer).toMatchObject({
        digit: expect.any(Number),
        model: { version: 1, jobId: 'job-1', epoch: 1, testAccuracy: 0.1 },
        timings: { decodeMs: expect.any(Number), queueMs: expect.any(Number), inferMs: expect.any(Number) },
      });
      expect(answer.probabilities).toHaveLength(10);
      expect(answer.probabilities.reduce((sum: number, value: number) => sum + value, 0)).toBeCloseTo(1, 5);
      expect(answer.confidence).toBe(Math.max(...answer.probabilities));
    });

    it('a form with one image gives one answer, the same as the image alone', async () => {
      const { payload, type } = form([{ name: 'image', body: digit }]);
      const [inForm, alone] = [await predict(payload, type), await predict(digit, 'image/png')];
      expect(inForm.json().probabilities).toEqual(alone.json().probabilities);
    });

    it('a form with several images gives their answers in order', async () => {
      const bodies = await Promise.all([0, 1, 2].map((index) => encodePng(imageAt(test, index), 28, 28)));
      const { payload, type } = form(bodies.map((body) => ({ name: 'image', body })));
      const { predictions } = (await predict(payload, type)).json();
      expect(predictions).toHaveLength(3);
      for (const [index, body] of bodies.entries()) {
        const alone = (await predict(body, 'image/png')).json();
        expect(predictions[index].digit).toBe(alone.digit);
        expect(predictions[index].confidence).toBeCloseTo(alone.confidence, 5);
      }
    });
  });

  describe('with include=input', () => {
    const predictions = async (payload: Buffer | string, type: string) => {
      const answer = (await predict(payload, type, '?include=input')).json();
      return (answer.predictions ?? [answer]) as { digit: number; input: string }[];
    };

    it('shows an image of the data set as it is', async () => {
      const [answer] = await predictions(digit, 'image/png');
      expect(await pixelsOf(answer!.input)).toEqual(imageAt(test, 0));
    });

    it.each([
      ['a drawing', drawings[1]!, 'image/png'],
      ['a JPEG', jpeg, 'image/jpeg'],
      ['JSON', JSON.stringify({ image: jpeg.toString('base64') }), 'application/json'],
    ])('shows %s as the network saw it', async (_, payload, type) => {
      const [answer] = await predictions(payload, type);
      const sent = typeof payload === 'string' ? jpeg : payload;
      expect(await pixelsOf(answer!.input)).toEqual(await normalised(sent));
    });

    it('shows each image of a form, in order', async () => {
      const { payload, type } = form(drawings.map((body) => ({ name: 'image', body })));
      const answers = await predictions(payload, type);
      const shown = await Promise.all(answers.map(({ input }) => pixelsOf(input)));
      expect(shown).toEqual(await Promise.all(drawings.map(normalised)));
    });

    it('answers otherwise as without, which shows nothing', async () => {
      const [shown] = await predictions(digit, 'image/png');
      const plain = (await predict(digit, 'image/png')).json();
      expect(Object.keys(shown!)).toEqual([...Object.keys(plain), 'input']);
      expect(shown!.digit).toBe(plain.digit);
    });

    it('shows nothing of what is no picture', async () => {
      const response = await predict('hello', 'image/png', '?include=input');
      expect(response.json()).toMatchObject({ status: 415, code: 'IMAGE_TYPE_UNSUPPORTED' });
    });

    it.each(['?include=weights', '?include=', '?include=input&include=input', '?includes=input'])(
      'refuses %s',
      async (query) => {
        const response = await predict(digit, 'image/png', query);
        expect(response.statusCode).toBe(400);
        expect(response.json()).toMatchObject({
          code: 'VALIDATION_FAILED',
          errors: [{ field: expect.stringContaining('include') }],
        });
      },
    );
  });

  describe('bad input gets a 4xx with its own code', () => {
    const bmp = Buffer.from('BM\x36\x10\0\0\0\0\0\0\x36\0\0\0', 'latin1');
    const heic = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1');
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="28" height="28"><rect width="9" height="9"/></svg>';
    const json = (value: unknown) => JSON.stringify(value);

    it.each([
      ['text as PNG', 'hello', 'image/png', 415, 'IMAGE_TYPE_UNSUPPORTED'],
      ['text as text', 'hello', 'text/plain', 415, 'MEDIA_TYPE_UNSUPPORTED'],
      ['an empty body', '', 'image/png', 422, 'IMAGE_EMPTY'],
      ['a truncated PNG', digit.subarray(0, digit.length / 2), 'image/png', 422, 'IMAGE_NOT_DECODABLE'],
      ['a truncated JPEG', jpeg.subarray(0, 200), 'image/jpeg', 422, 'IMAGE_NOT_DECODABLE'],
      ['an SVG', svg, 'image/png', 415, 'IMAGE_TYPE_UNSUPPORTED'],
      ['an SVG as itself', svg, 'image/svg+xml', 415, 'MEDIA_TYPE_UNSUPPORTED'],
      ['a BMP', bmp, 'image/png', 415, 'IMAGE_TYPE_UNSUPPORTED'],
      ['a HEIC', heic, 'image/jpeg', 415, 'IMAGE_TYPE_UNSUPPORTED'],
      ['a BMP as itself', bmp, 'image/bmp', 415, 'MEDIA_TYPE_UNSUPPORTED'],
      ['a file over the limit', Buffer.alloc(15 * 1024 * 1024 + 1), 'image/png', 413, 'IMAGE_TOO_LARGE'],
      ['a file far over the limit', Buffer.alloc(21 * 1024 * 1024), 'image/png', 413, 'BODY_TOO_LARGE'],
      ['JSON without an image', json({}), 'application/json', 400, 'VALIDATION_FAILED'],
      ['JSON with more', json({ image: '', x: 1 }), 'application/json', 400, 'VALIDATION_FAILED'],
      ['an image that is not base64', json({ image: '***' }), 'application/json', 400, 'VALIDATION_FAILED'],
      [
        'an image that is not base64 after a million blanks',
        json({ image: `AAAA${' '.repeat(1_000_000)}!` }),
        'application/json',
        400,
        'VALIDATION_FAILED',
      ],
      ['an empty image in JSON', json({ image: '' }), 'application/json', 422, 'IMAGE_EMPTY'],
      ['broken JSON', '{"image":', 'application/json', 400, 'JSON_INVALID'],
      [
        'a form that is cut off',
        form([{ name: 'image', body: digit }]).payload.subarray(0, 150),
        form([]).type,
        400,
        'FORM_NOT_READABLE',
      ],
      ['an empty form', form([]).payload, form([]).type, 400, 'FORM_NOT_READABLE'],
      ['a form without a boundary', digit, 'multipart/form-data', 400, 'FORM_NOT_READABLE'],
      [
        'a form with 17 images',
        form(Array.from({ length: 17 }, () => ({ name: 'image', body: digit }))).payload,
        form([]).type,
        413,
        'TOO_MANY_IMAGES',
      ],
    ])('%s', async (_, payload, type, status, code) => {
      const response = await predict(payload, type);
      expect(response.json()).toMatchObject({ status, code });
      expect(response.statusCode).toBe(status);
      expect(response.headers['content-type']).toMatch('application/problem+json');
    });

    it('a blank picture', async () => {
      const blank = await encodePng(new Uint8Array(784), 28, 28);
      expect((await predict(blank, 'image/png')).json()).toMatchObject({ status: 422, code: 'IMAGE_NO_INK' });
    });

    it('names the image of a form that is wrong', async () => {
      const { payload, type } = form([
        { name: 'image', body: digit },
        { name: 'image', body: Buffer.from('x') },
      ]);
      expect((await predict(payload, type)).json()).toMatchObject({
        status: 415,
        detail: expect.stringMatching(/^image 2 of 2/),
      });
    });

    it('a PNG of 16k × 16k, at little memory in either process', async () => {
      const side = 16_384;
      const huge = await sharp({
        create: { width: side, height: side, channels: 3, background: 'white' },
        limitInputPixels: false,
      })
        .png({ compressionLevel: 2 }) // as small as by 9, in two thirds of the time
        .toBuffer();
      const before = await memoryOf(predictorPid()!, 'VmHWM');
      const response = await predict(huge, 'image/png');
      expect(response.json()).toMatchObject({ status: 413, code: 'IMAGE_TOO_LARGE' });
      expect((await memoryOf(predictorPid()!, 'VmHWM')) - before).toBeLessThan(200);
    });

    it('any bytes at all', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (bytes, asPng) => {
          const head = asPng ? digit.subarray(0, 60) : Buffer.alloc(0);
          const response = await predict(Buffer.concat([head, bytes]), 'image/png');
          expect(response.statusCode).toBeGreaterThanOrEqual(400);
          expect(response.statusCode).toBeLessThan(500);
        }),
        { numRuns: 100 },
      );
    });
  });
});

/** Decodes a grey PNG in base64. */
async function pixelsOf(input: string): Promise<Uint8Array> {
  const picture = sharp(Buffer.from(input, 'base64'));
  const header = { format: 'png', width: 28, height: 28, channels: 1, depth: 'uchar' };
  expect(await picture.metadata()).toMatchObject(header);
  return new Uint8Array(await picture.toColourspace('b-w').raw().toBuffer());
}

async function normalised(image: Uint8Array): Promise<Uint8Array> {
  const read = await readDigit(image);
  if (!read.ok) throw new Error(read.message);
  return new Uint8Array(read.pixels);
}
