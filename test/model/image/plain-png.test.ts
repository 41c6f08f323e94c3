import { deflateSync } from 'node:zlib';
import * as fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { toGreys } from '../../../src/model/image/greys.ts';
import { readPlainPng } from '../../../src/model/image/plain-png.ts';
import { chunk } from './picture-files.ts';

type Picture = {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3 | 4;
  readonly values: Uint8Array;
};

const picture: fc.Arbitrary<Picture> = fc
  .record({
    width: fc.integer({ min: 1, max: 40 }),
    height: fc.integer({ min: 1, max: 40 }),
    channels: fc.constantFrom(1 as const, 3 as const, 4 as const),
    seed: fc.integer(),
    smooth: fc.boolean(), // so that an encoder takes other filters than for noise
  })
  .map(({ width, height, channels, seed, smooth }) => {
    const values = Uint8Array.from({ length: width * height * channels }, (_, i) =>
      smooth ? (i * 3 + seed) >> 4 : Math.imul(i + 1, seed | 1) >> 8,
    );
    return { width, height, channels, values };
  });

describe('a plain PNG', () => {
  it('is read as it was written, with every filter', () => {
    fc.assert(
      fc.property(
        picture,
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1 }),
        (original, filters) => {
          expect(readPlainPng(encode(original, filters))).toEqual(original);
        },
      ),
    );
  });

  it('is read as sharp reads it, whatever it says of gamma, colours and size', async () => {
    const chunks = [
      chunk('gAMA', Buffer.from([0, 0, 100, 0])),
      chunk('sRGB', Buffer.from([1])),
      chunk('cHRM', Buffer.alloc(32, 1)),
      chunk('pHYs', Buffer.from([0, 0, 1, 0, 0, 0, 2, 0, 1])),
      chunk('tEXt', Buffer.from('Comment\0eXIf Orientation 6')),
    ];
    await fc.assert(
      fc.asyncProperty(
        picture,
        fc.subarray(chunks),
        fc.integer({ min: 0, max: 4 }),
        async (original, extra, filter) => {
          const bytes = encode(original, [filter, 0, 4], extra);
          const { data, info } = await sharp(bytes).autoOrient().raw().toBuffer({ resolveWithObject: true });
          const samples = readPlainPng(bytes)!;
          expect([samples.width, samples.height]).toEqual([info.width, info.height]);
          const theirs = toGreys({
            values: data,
            width: info.width,
            height: info.height,
            channels: info.channels,
          });
          expect(toGreys(samples)).toEqual(theirs);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is read as it was given to sharp to write', async () => {
    await fc.assert(
      fc.asyncProperty(picture, fc.boolean(), async ({ values, ...size }, adaptiveFiltering) => {
        const bytes = await sharp(values, { raw: size })
          .toColourspace(size.channels === 1 ? 'b-w' : 'srgb')
          .png({ adaptiveFiltering })
          .toBuffer();
        expect(readPlainPng(bytes)).toEqual({ ...size, values });
      }),
    );
  });

  it('may hold chunks that do not matter', () => {
    const original = { width: 2, height: 1, channels: 1, values: Uint8Array.of(1, 2) } as const;
    const bytes = encode(
      original,
      [0],
      [chunk('gAMA', Buffer.from([0, 0, 177, 143])), chunk('tEXt', Buffer.from('a\0b'))],
    );
    expect(readPlainPng(bytes)).toEqual(original);
  });
});

describe('what is left to sharp', () => {
  const small = { width: 2, height: 2, channels: 3, values: new Uint8Array(12) } as const;

  it.each([
    ['a chunk that may change what pixels mean', encode(small, [0], [chunk('tRNS', Buffer.alloc(6))])],
    ['an orientation', encode(small, [0], [chunk('eXIf', Buffer.from('MM\0*'))])],
    ['an unknown filter', encode(small, [5])],
    ['too few rows', encode({ ...small, values: new Uint8Array(6) }, [0])],
    ['too many rows', encode({ ...small, values: new Uint8Array(18) }, [0])],
    ['no IEND', encode(small, [0]).subarray(0, -12)],
    ['a header of another length', longerHeader(encode(small, [0]))],
    ['image data in two places', interrupted(encode(small, [0]))],
    [
      'one too large to hold others up for',
      encode({ width: 600, height: 300, channels: 3, values: new Uint8Array(540_000) }, [0]),
    ],
  ])('%s', (_, bytes) => {
    expect(readPlainPng(bytes)).toBeNull();
  });

  it.each([
    ['palette', { palette: true }],
    ['interlaced', { progressive: true }],
  ])('%s', async (_, options) => {
    expect(readPlainPng(await sharp(small.values, { raw: small }).png(options).toBuffer())).toBeNull();
  });

  it('16 bits', async () => {
    const grey16 = sharp(new Uint16Array(4), { raw: { ...small, channels: 1 } }).toColourspace('grey16');
    expect(readPlainPng(await grey16.png().toBuffer())).toBeNull();
  });

  it('any file in which a byte was changed, or that was cut short', () => {
    const original = {
      width: 5,
      height: 4,
      channels: 3,
      values: Uint8Array.from({ length: 60 }, (_, i) => i * 4),
    } as const;
    const bytes = encode(original, [0, 1, 2, 4]);
    for (let at = 8; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1 << (at % 8);
      expect(readPlainPng(changed), `byte ${at}`).toBeNull();
      expect(readPlainPng(bytes.subarray(0, at)), `length ${at}`).toBeNull();
    }
  });
});

/** A PNG whose rows take the filters in turn; written for the test from the specification. */
function encode(
  { width, height, channels, values }: Picture,
  filters: readonly number[],
  extra: Buffer[] = [],
): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, { 1: 0, 3: 2, 4: 6 }[channels], 0, 0, 0], 8);
  const stride = width * channels;
  const at = (row: number, i: number) => (row < 0 || i < 0 ? 0 : values[row * stride + i]!);
  const rows = Array.from({ length: values.length / stride }, (_, row) => {
    const filter = filters[row % filters.length]!;
    const stored = Array.from({ length: stride }, (__, i) => {
      const [left, up, corner] = [
        at(row, i - channels),
        at(row - 1, i),
        i < channels ? 0 : at(row - 1, i - channels),
      ];
      return at(row, i) - predict(filter, left, up, corner);
    });
    return Buffer.from([filter, ...stored]);
  });
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    ...extra,
    chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function predict(filter: number, left: number, up: number, corner: number): number {
  if (filter === 4) {
    const estimate = left + up - corner;
    return [left, up, corner].reduce((best, value) =>
      Math.abs(value - estimate) < Math.abs(best - estimate) ? value : best,
    );
  }
  return [0, left, up, Math.floor((left + up) / 2)][filter] ?? 0;
}

/** IHDR with a byte more, its length and checksum made to fit. */
function longerHeader(bytes: Buffer): Buffer {
  const header = chunk('IHDR', Buffer.concat([bytes.subarray(16, 29), Buffer.alloc(1)]));
  return Buffer.concat([bytes.subarray(0, 8), header, bytes.subarray(33)]);
}

/** The only IDAT cut in two, with a text between. */
function interrupted(bytes: Buffer): Buffer {
  const data = bytes.subarray(41, 41 + bytes.readUInt32BE(33));
  const parts = [
    chunk('IDAT', data.subarray(0, 4)),
    chunk('tEXt', Buffer.from('a\0b')),
    chunk('IDAT', data.subarray(4)),
  ];
  return Buffer.concat([bytes.subarray(0, 33), ...parts, chunk('IEND', Buffer.alloc(0))]);
}
