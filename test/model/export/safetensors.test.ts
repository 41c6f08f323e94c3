/** The header and the layout of safetensors; `npm run bench:exports` has PyTorch itself read them. */
import { expect, it } from 'vitest';
import { digitLabels } from '../../../src/model/data/labels.ts';
import { encodeSafetensors } from '../../../src/model/export/safetensors.ts';
import { parametersOf, sizeOf } from '../../../src/model/network/network.ts';
import { cases, publishedModel } from './exported.ts';

type Entry = { dtype: string; shape: number[]; data_offsets: [number, number] };

/** As the format's description says to read it. */
function read(bytes: Buffer) {
  const length = Number(bytes.readBigUInt64LE());
  const { __metadata__: metadata, ...entries } = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as {
    __metadata__: Record<string, string>;
  };
  const data = bytes.subarray(8 + length);
  const valueAt = (entry: Entry, index: number) => data.readFloatLE(entry.data_offsets[0] + 4 * index);
  return { length, metadata, data, entries: entries as Record<string, Entry>, valueAt };
}

it.each(cases)('of %s are without gaps, and begin on a multiple of eight', async (_name, network, more) => {
  const model = await publishedModel(network, more);
  const { length, entries, data } = read(encodeSafetensors(model));
  expect(length % 8).toBe(0);
  let end = 0;
  for (const { dtype, shape, data_offsets: offsets } of Object.values(entries)) {
    expect(dtype).toBe('F32');
    expect(offsets).toEqual([end, end + 4 * sizeOf(shape)]);
    end = offsets[1];
  }
  expect(end).toBe(data.length);
  expect(Object.keys(entries)).toHaveLength(parametersOf(model.manifest.network).length);
});

it("have the article's PyTorch names and layouts", async () => {
  const { manifest, weights } = await publishedModel('article');
  const { entries, metadata, valueAt } = read(encodeSafetensors({ manifest, weights }));
  const shapes = Object.entries(entries).map(([name, { shape }]) => [name, shape]);
  expect(shapes.filter(([name]) => String(name).endsWith('weight'))).toEqual([
    ['0.weight', [16, 1, 5, 5]],
    ['3.weight', [32, 16, 5, 5]],
    ['5.weight', [32, 32, 5, 5]],
    ['8.weight', [64, 32, 5, 5]],
    ['11.weight', [10, 3136]],
  ]);
  // Kernel [y, x, in, out] = [1, 2, 3, 4] of the second convolution, whose kernel follows 5 × 5 × 16 + 16 values.
  const here = 416 + ((1 * 5 + 2) * 16 + 3) * 32 + 4;
  expect(valueAt(entries['3.weight']!, ((4 * 16 + 3) * 5 + 1) * 5 + 2)).toBe(weights[here]);
  // The last layer's row for y = 1, x = 2, channel 3 of [7, 7, 64], and label 4.
  const dense = weights.length - 10 - 31_360;
  const row = (1 * 7 + 2) * 64 + 3;
  expect(valueAt(entries['11.weight']!, 4 * 3136 + (3 * 7 + 1) * 7 + 2)).toBe(weights[dense + row * 10 + 4]);
  expect(JSON.parse(metadata['labels']!)).toEqual(digitLabels);
  expect(metadata['weightsSha256']).toBe(manifest.files['weights.bin'].sha256);
  expect(Object.values(metadata).every((value) => typeof value === 'string')).toBe(true);
});

it('have other numbers where the network has other modules', async () => {
  const { entries } = read(encodeSafetensors(await publishedModel('wide')));
  const names = Object.keys(entries).filter((name) => name.endsWith('weight'));
  expect(names).toEqual([0, 2, 5, 7, 11, 13].map((position) => `${position}.weight`));
});
