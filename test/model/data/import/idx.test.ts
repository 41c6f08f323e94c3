import { readdir, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { makeZip, type ZipEntry } from '../../../../harness/zip.ts';
import { sha256Of } from '../../../../src/lib/sha256.ts';
import { imageAt } from '../../../../src/model/data/dataset.ts';
import { defaultLimits } from '../../../../src/model/data/import/limits.ts';
import { openArchive } from '../../../../src/model/data/import/open-archive.ts';
import { slotsOfIdx } from '../../../../src/model/data/import/slots.ts';
import { openDatasets } from '../../../../src/model/data/imported/datasets.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { mnist } from '../mnist.ts';
import {
  digitPng,
  importBytes,
  importZip,
  makeTarGz,
  manifestOf,
  picturesOf,
  problemsOf,
  refusalOf,
} from './importing.ts';

type Changes = {
  readonly magic?: number;
  readonly count?: number;
  readonly side?: number;
  readonly cut?: number; // bytes
};

function imagesFile(from: number, count: number, changes: Changes = {}): Buffer {
  const header = Buffer.alloc(16);
  const side = changes.side ?? 28;
  for (const [i, value] of [changes.magic ?? 0x803, changes.count ?? count, side, side].entries())
    header.writeUInt32BE(value, 4 * i);
  const greys = mnist.test.images.subarray(from * 784, (from + count) * 784);
  return Buffer.concat([header, greys]).subarray(0, 16 + greys.length - (changes.cut ?? 0));
}

function labelsFile(from: number, count: number): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(0x801);
  header.writeUInt32BE(count, 4);
  return Buffer.concat([header, Uint8Array.from(mnist.test.labels.subarray(from, from + count))]);
}

/** 300 pictures to train on, 100 to test with. */
function mnistFiles(changes: Changes = {}): ZipEntry[] {
  return [
    { name: 'train-images-idx3-ubyte', data: imagesFile(0, 300, changes) },
    { name: 'train-labels-idx1-ubyte', data: labelsFile(0, 300) },
    { name: 't10k-images-idx3-ubyte', data: imagesFile(300, 100) },
    { name: 't10k-labels-idx1-ubyte', data: labelsFile(300, 100) },
  ];
}

/** Files of this process's open descriptors. */
async function openFiles(): Promise<string[]> {
  const descriptors = await readdir('/proc/self/fd');
  return Promise.all(descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
}

describe('the sample of IDX files', () => {
  /** Sorted by label, as some sets are. `count`: of each part. */
  async function sampled(count: number, most: number) {
    const files = ['a', 'b'].flatMap((prefix) => {
      const [images, labels] = [imagesFile(0, count), labelsFile(0, count)];
      for (let i = 0; i < count; i++) {
        images.fill(i % 256, 16 + 784 * i, 16 + 784 * (i + 1));
        labels[8 + i] = Math.floor((i * 10) / count);
      }
      return [
        { name: `${prefix}-images-idx3-ubyte`, data: images },
        { name: `${prefix}-labels-idx1-ubyte`, data: labels },
      ];
    });
    const directory = await temporaryDirectory();
    const path = join(directory, 'archive.zip');
    await writeFile(path, makeZip(files));
    const listed = await openArchive(path, directory, defaultLimits);
    if (!listed.ok) throw new Error(listed.message);
    const slots = await slotsOfIdx(listed, defaultLimits);
    const shades: number[] = [];
    for await (const pictures of slots.sample(most)) {
      if (pictures.kind !== 'greys') throw new Error('expected greys');
      for (let at = 0; at < pictures.greys.length; at += 784) shades.push(pictures.greys[at]!);
    }
    return { path, shades };
  }

  it('is spread over labels and pairs, and closes the files', async () => {
    const { path, shades } = await sampled(1000, 40);
    // 20 of each pair, 2 of each label, from its first and second half
    const ofPair = Array.from({ length: 20 }, (_, i) => (50 * i + 25) % 256);
    expect(shades).toEqual([...ofPair, ...ofPair]);
    expect(await openFiles()).not.toContain(path);
    const stopped = await sampled(2000, 1); // in the middle of the second pair
    expect(await openFiles()).not.toContain(stopped.path);
  });

  it('is all of them where there are no more', async () => {
    const { shades } = await sampled(100, 200);
    expect(shades).toHaveLength(200);
    expect((await sampled(100, 3)).shades).toHaveLength(3);
  });
});

describe('files of IDX', () => {
  it('give the pictures as they are, with their labels and their division', async () => {
    const imported = await importZip(mnistFiles(), { form: 'ink' });
    const { labels, counts, report, testShare } = manifestOf(imported);
    expect(labels).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect([counts.train.count, counts.test.count, report.accepted, testShare]).toEqual([
      300,
      100,
      400,
      null,
    ]);
    const { test } = await openDatasets(imported.dataDir).read('letters');
    const known = new Map(
      Array.from({ length: 100 }, (_, i) => [
        Buffer.from(imageAt(mnist.test, 300 + i)).toString('hex'),
        mnist.test.labels[300 + i],
      ]),
    );
    for (let i = 0; i < test.count; i++)
      expect(known.get(Buffer.from(test.images.subarray(784 * i, 784 * (i + 1))).toString('hex'))).toBe(
        test.labels[i],
      );
  });

  it('give the same gzipped, in a zip or in a tar.gz', async () => {
    const gzipped = mnistFiles().map(({ name, data }) => ({
      name: `MNIST/raw/${name as string}.gz`,
      data: gzipSync(data),
    }));
    const sets = [
      await importZip(
        mnistFiles().map((entry) => ({ ...entry, name: `MNIST/raw/${entry.name as string}`, deflate: true })),
      ),
      await importZip(gzipped),
      await importBytes(await makeTarGz(gzipped)),
    ];
    const greys = await Promise.all(
      sets.map(async (set) => sha256Of((await picturesOf(set)).subarray(0, 400 * 784))),
    );
    expect(greys[1]).toEqual(greys[0]);
    expect(greys[2]).toEqual(greys[0]);
  });

  it('name pictures by their place', async () => {
    const files = mnistFiles();
    const black = Buffer.from(files[0]!.data);
    black.fill(0, 16 + 5 * 784, 16 + 6 * 784);
    const imported = await importZip([{ ...files[0]!, data: black }, ...files.slice(1)], { form: 'ink' });
    expect(problemsOf(imported)).toEqual(['train-images-idx3-ubyte[5] IMAGE_NO_INK']);
  });

  it('may have another size than 28×28', async () => {
    const small = { side: 14, count: 1200 };
    const entries = [
      { name: 'images.idx3-ubyte', data: imagesFile(0, 300, small) },
      { name: 'labels.idx1-ubyte', data: labelsFile(0, 1200) },
    ];
    const { report, testShare } = manifestOf(await importZip(entries));
    expect(report.accepted + report.duplicates + report.problemCount).toBe(1200);
    expect(testShare).toBe(0.2);
  });

  it('are divided by whole words, of the file before those of its folders', async () => {
    const inFolder = mnistFiles().map((entry) => ({ ...entry, name: `latest/test/${entry.name as string}` }));
    const { counts } = manifestOf(await importZip(inFolder));
    expect([counts.train.count, counts.test.count]).toEqual([300, 100]);
    const unnamed = [
      { name: 'latest/images.idx3-ubyte', data: imagesFile(0, 300) },
      { name: 'latest/labels.idx1-ubyte', data: labelsFile(0, 300) },
    ];
    expect(manifestOf(await importZip(unnamed)).testShare).toBe(0.2);
  });

  it('hold no more pictures together than one may', async () => {
    const limits = { ...defaultLimits, pictures: 399 };
    const { outcome } = await importZip(mnistFiles(), { limits });
    expect(outcome).toMatchObject({
      ok: false,
      code: 'IDX_INVALID',
      message: expect.stringContaining('at most 399 pictures'),
    });
    const enough = { ...defaultLimits, pictures: 400 };
    expect((await importZip(mnistFiles(), { limits: enough })).outcome.ok).toBe(true);
  });

  it('go with nothing else', async () => {
    const imported = await importZip([...mnistFiles(), { name: 'a/1.png', data: digitPng(1) }]);
    expect(problemsOf(imported)).toEqual(['a/1.png LAYOUT_UNKNOWN']);
  });

  it.each<[string, ZipEntry[]]>([
    ['pictures lack their labels', mnistFiles().slice(0, 3)],
    [
      'there are fewer of them than labels',
      [{ name: 'train-images-idx3-ubyte', data: imagesFile(0, 299) }, ...mnistFiles().slice(1)],
    ],
    [
      'there are more of them than labels',
      [{ name: 'train-images-idx3-ubyte', data: imagesFile(0, 301) }, ...mnistFiles().slice(1)],
    ],
    ['they are cut off', mnistFiles({ cut: 1 })],
    ['they go on after their end', mnistFiles({ count: 299 })],
    ['they promise more', mnistFiles({ count: 301 })],
    ['they are of another type', mnistFiles({ magic: 0x802 })],
    ['a picture has no pixels', mnistFiles({ side: 0 })],
    ['their CRC is wrong', mnistFiles().map((entry) => ({ ...entry, crc32: 1 }))],
    ['their gzip is damaged', mnistFiles().map(({ name, data }) => ({ name: `${name as string}.gz`, data }))],
  ])('are refused where %s', async (_what, entries) => {
    expect(refusalOf(await importZip(entries))).toBe('IDX_INVALID');
  });
});
