/**
 * Imported data sets on disk: DATA_DIR/datasets/NAME/{manifest.json, pictures.bin}. A set appears under its name when it is
 * whole, and is never changed.
 */
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { removeDirectory } from '../../../lib/create-directory.ts';
import { messageOf, TrainyardError } from '../../../lib/errors.ts';
import { isCode } from '../../../lib/files.ts';
import { sha256Of } from '../../../lib/sha256.ts';
import { imageSize } from '../dataset.ts';
import { type ImportedManifest, importedName, openManifest } from './manifest.ts';
import { hashBytes, labelBytes } from './pictures-file.ts';

export const manifestFile = 'manifest.json';
export const picturesFile = 'pictures.bin';

export type Part = 'train' | 'test';

/** One part of a set. */
export type ImportedSplit = {
  readonly count: number;
  readonly images: Uint8Array; // [count × 784], 0 black … 255 white, row-major
  readonly labels: Uint16Array; // [count], places in the manifest's `labels`
};

export type Datasets = {
  /** Lists the sets by name. Damaged ones are left out, and reported to `onDamaged`. */
  list(): Promise<ImportedManifest[]>;
  /** Null where there is none. @throws TrainyardError `DATASET_DAMAGED` */
  manifest(name: string): Promise<ImportedManifest | null>;
  /** Reads and checks both parts. @throws TrainyardError `DATASET_MISSING` or `DATASET_DAMAGED` */
  read(name: string): Promise<Readonly<Record<Part, ImportedSplit>>>;
  /** One picture, without reading the others; null where there is none. @throws TrainyardError `DATASET_DAMAGED` */
  picture(name: string, part: Part, index: number): Promise<{ pixels: Uint8Array; label: string } | null>;
  /** Returns false where there is none. */
  remove(name: string, isNeeded?: () => Promise<boolean>): Promise<boolean>;
  /** Counts what all sets take on disk. */
  bytes(): Promise<number>;
};

export function datasetsRoot(dataDir: string): string {
  return join(dataDir, 'datasets');
}

export function openDatasets(dataDir: string, onDamaged: (error: unknown) => void = () => {}): Datasets {
  const root = datasetsRoot(dataDir);
  const names = async () => {
    const found = await readdir(root).catch((error: unknown) => {
      if (isCode(error, 'ENOENT')) return [];
      throw error;
    });
    return found.filter((name) => importedName.safeParse(name).success).toSorted();
  };
  return {
    list: async () => {
      const manifests = (await names()).map((name) =>
        readManifest(root, name).catch((error: unknown) => {
          onDamaged(error);
          return null;
        }),
      );
      return (await Promise.all(manifests)).filter((manifest) => manifest !== null);
    },
    manifest: (name) => readManifest(root, name),
    read: (name) => readParts(root, name),
    picture: (name, part, index) => readPicture(root, name, part, index),
    remove: async (name, isNeeded) =>
      importedName.safeParse(name).success && removeDirectory(root, name, isNeeded),
    bytes: async () => {
      const sizes = (await names()).flatMap((name) =>
        [manifestFile, picturesFile].map((file) => sizeOf(join(root, name, file))),
      );
      return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    },
  };
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => ({ size: 0 }))).size; // removed meanwhile
}

async function readManifest(root: string, name: string): Promise<ImportedManifest | null> {
  if (!importedName.safeParse(name).success) return null;
  let bytes: Buffer;
  try {
    bytes = await readFile(join(root, name, manifestFile));
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
  const opened = openManifest(bytes);
  if (!opened.ok) throw damaged(name, `${manifestFile}: ${opened.reason}`);
  if (opened.manifest.name !== name)
    throw damaged(name, `${manifestFile}: expected this name, got ${opened.manifest.name}`);
  return opened.manifest;
}

async function readParts(root: string, name: string): Promise<Record<Part, ImportedSplit>> {
  const manifest = await readManifest(root, name);
  if (!manifest)
    throw new TrainyardError(
      'DATASET_MISSING',
      `expected the data set "${name}", found none; import it again`,
    );
  const bytes = await readFile(join(root, name, picturesFile)).catch((error: unknown) => {
    throw damaged(name, `${picturesFile}: ${messageOf(error)}`);
  });
  const sha256 = sha256Of(bytes);
  const { pictures, counts } = manifest;
  if (sha256 !== pictures.sha256)
    throw damaged(name, `${picturesFile}: expected SHA-256 ${pictures.sha256}, got ${sha256}`);
  const slice = (from: number, count: number): ImportedSplit => {
    const greys = pictures.sections.greys.offset + from * imageSize;
    const labels = pictures.sections.labels.offset + from * labelBytes;
    return {
      count,
      images: bytes.subarray(greys, greys + count * imageSize),
      labels: Uint16Array.from({ length: count }, (_, i) => bytes.readUInt16LE(labels + i * labelBytes)),
    };
  };
  return { train: slice(0, counts.train.count), test: slice(counts.train.count, counts.test.count) };
}

/** Checks the picture against its own hash: the whole file would take a thousand times as long. */
async function readPicture(root: string, name: string, part: Part, index: number) {
  const manifest = await readManifest(root, name);
  if (!manifest || index >= manifest.counts[part].count) return null;
  const { sections } = manifest.pictures;
  const place = index + (part === 'test' ? manifest.counts.train.count : 0);
  const file = await open(join(root, name, picturesFile)).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) throw damaged(name, `expected ${picturesFile}, found none`);
    throw error;
  });
  try {
    const readAt = async (offset: number, length: number) =>
      (await file.read(Buffer.alloc(length), 0, length, offset)).buffer;
    const pixels = await readAt(sections.greys.offset + place * imageSize, imageSize);
    const label = (await readAt(sections.labels.offset + place * labelBytes, labelBytes)).readUInt16LE();
    const hash = await readAt(sections.hashes.offset + place * hashBytes, hashBytes);
    if (sha256Of(pixels) !== hash.toString('hex') || label >= manifest.labels.length)
      throw damaged(name, `${picturesFile}: picture ${place} is not the one that was written`);
    return { pixels, label: manifest.labels[label]! };
  } finally {
    await file.close();
  }
}

function damaged(name: string, reason: string): TrainyardError {
  const advice = `delete the data set "${name}" and import it again`;
  return new TrainyardError('DATASET_DAMAGED', `data set "${name}": ${reason}; ${advice}`);
}
