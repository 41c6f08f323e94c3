/** Archives for tests, and what importing them gives. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { greyPng } from '../../../../harness/plain-png.ts';
import { makeZip, type ZipEntry } from '../../../../harness/zip.ts';
import {
  type ImportOptions,
  type ImportOutcome,
  importArchive,
} from '../../../../src/model/data/import/import-archive.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { testDigit } from '../../image/pictures.ts';

/** A PNG of 28×28; each index gives another picture. */
export function digitPng(index: number): Buffer {
  return greyPng(testDigit(index), 28, 28);
}

/** `count` different pictures in `folder`; `first` numbers them. */
export function pictures(folder: string, count: number, first = 0): ZipEntry[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `${folder}/${i}.png`,
    data: digitPng(first + i),
  }));
}

/** Labels `a` and `b` with `count` pictures each. */
export function twoLabels(count: number): ZipEntry[] {
  return [...pictures('a', count), ...pictures('b', count, count)];
}

type TarEntry = Pick<ZipEntry, 'data'> & { readonly name: string; readonly type?: 'symlink' | 'fifo' };

export async function makeTar(entries: readonly (ZipEntry | TarEntry)[]): Promise<Buffer> {
  const tar = pack();
  for (const entry of entries) {
    const type = 'type' in entry ? entry.type : undefined;
    const header = { name: `${entry.name as string}`, ...(type && { type, linkname: 'elsewhere' }) };
    if (type) tar.entry(header);
    else tar.entry(header, Buffer.from(entry.data));
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export async function makeTarGz(entries: readonly ZipEntry[]): Promise<Buffer> {
  return gzipSync(await makeTar(entries));
}

export type Imported = {
  readonly outcome: ImportOutcome;
  readonly dataDir: string;
  readonly staging: string;
  readonly archive: string;
};

/** Writes the archive to disk and imports it into a data directory of its own, or that of `into`. */
export async function importBytes(
  bytes: Uint8Array,
  options: Partial<ImportOptions> = {},
): Promise<Imported> {
  const { dataDir = await temporaryDirectory() } = options;
  const staging = join(await temporaryDirectory(), 'staging');
  await mkdir(staging);
  const archive = join(staging, 'archive');
  await writeFile(archive, bytes);
  return importFile(archive, { ...options, dataDir, staging });
}

export async function importFile(
  archive: string,
  options: Partial<ImportOptions> & Pick<ImportOptions, 'dataDir' | 'staging'>,
): Promise<Imported> {
  const { dataDir, staging } = options;
  const defaults = { name: 'letters', form: 'picture', testShare: 0.2, seed: 1 } as const;
  const outcome = await importArchive({ ...defaults, archive, ...options });
  return { outcome, dataDir, staging, archive };
}

export function importZip(entries: readonly ZipEntry[], options?: Partial<ImportOptions>): Promise<Imported> {
  return importBytes(makeZip(entries), options);
}

/** The manifest of an import that must succeed. */
export function manifestOf({ outcome }: Imported) {
  if (!outcome.ok) throw new Error(`expected a data set, got ${outcome.code}: ${outcome.message}`);
  return outcome.manifest;
}

/** The code of an import that must be refused. */
export function refusalOf({ outcome }: Imported): string {
  if (outcome.ok) throw new Error('expected a refusal, got a data set');
  return outcome.code;
}

/** `path code` of each problem. */
export function problemsOf(imported: Imported): string[] {
  const { outcome } = imported;
  const report = outcome.ok ? outcome.manifest.report : outcome.report;
  return (report?.problems ?? []).map(({ path, code }) => `${path} ${code}`);
}

export function picturesOf({ dataDir }: Imported, name = 'letters'): Promise<Buffer> {
  return readFile(join(dataDir, 'datasets', name, 'pictures.bin'));
}
