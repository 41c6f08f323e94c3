import { createWriteStream } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { endRecord, makeZip, type ZipEntry } from '../../../../harness/zip.ts';
import { defaultLimits } from '../../../../src/model/data/import/limits.ts';
import { openArchive } from '../../../../src/model/data/import/open-archive.ts';
import { isLong } from '../../../long.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import {
  digitPng,
  type Imported,
  importBytes,
  importZip,
  manifestOf,
  problemsOf,
  refusalOf,
  twoLabels,
} from './importing.ts';

/** Imports two labels and one more entry, and expects that only this one is refused. */
async function importBeside(entry: ZipEntry): Promise<{ code: string; imported: Imported }> {
  const imported = await importZip([...twoLabels(3), entry]);
  expect(manifestOf(imported).report.accepted).toBe(6);
  const problems = manifestOf(imported).report.problems;
  expect(problems).toHaveLength(1);
  return { code: problems[0]!.code, imported };
}

const picture = digitPng(99);

describe('a zip', () => {
  it('is imported, deflated or stored', async () => {
    const entries = twoLabels(3).map((entry, i) => ({ ...entry, deflate: i % 2 === 0 }));
    const imported = await importZip(entries);
    expect(manifestOf(imported)).toMatchObject({
      labels: ['a', 'b'],
      report: { accepted: 6, problemCount: 0 },
    });
  });

  it.each([
    ['../../a/9.png', 'PATH_OUTSIDE'],
    ['a/../../9.png', 'PATH_OUTSIDE'],
    ['a\\..\\9.png', 'PATH_OUTSIDE'],
    ['/etc/9.png', 'PATH_OUTSIDE'],
    ['\\\\host\\a\\9.png', 'PATH_OUTSIDE'],
    ['C:\\a\\9.png', 'PATH_OUTSIDE'],
    ['a/9\u0000.png', 'NAME_INVALID'],
    ['a/9\n.png', 'NAME_INVALID'],
    [`a/${'9'.repeat(1100)}.png`, 'PATH_TOO_LONG'],
    ['a/more.zip', 'ARCHIVE_NESTED'],
    ['9.png', 'LAYOUT_UNKNOWN'],
    ['a/b/9.png', 'LAYOUT_UNKNOWN'],
    [`${'l'.repeat(65)}/9.png`, 'LABEL_INVALID'],
  ])('refuses one entry named %j', async (name, code) => {
    const { code: got, imported } = await importBeside({ name, data: picture });
    expect(got).toBe(code);
    expect(await readdir(imported.dataDir)).toEqual(['datasets']);
    expect(await readdir(join(imported.dataDir, 'datasets'))).toEqual(['letters']);
  });

  it.each<[string, Omit<ZipEntry, 'name' | 'data'>, string]>([
    ['that is encrypted', { encrypted: true }, 'ENTRY_ENCRYPTED'],
    ['that is a symbolic link', { mode: 0o120777 }, 'ENTRY_NOT_A_FILE'],
    ['that is a device', { mode: 0o020666 }, 'ENTRY_NOT_A_FILE'],
    ['with a wrong CRC', { crc32: 1 }, 'ENTRY_DAMAGED'],
    ['of an unknown compression', { method: 14 }, 'ENTRY_COMPRESSION_UNSUPPORTED'],
    ['with another name in its own header', { localName: 'a/x.png' }, 'ENTRY_DAMAGED'],
    ['with a longer name in its own header', { localName: 'a/longer.png' }, 'ENTRY_DAMAGED'],
    ['that inflates to more than it says', { deflate: true, size: 100 }, 'ENTRY_BOMB'],
    ['that inflates to less than it says', { deflate: true, size: 5000 }, 'ENTRY_DAMAGED'],
    ['that says to inflate to 16 MiB', { deflate: true, size: 2 ** 24 }, 'ENTRY_TOO_LARGE'],
  ])('refuses one entry %s', async (_what, wrong, code) => {
    const { code: got } = await importBeside({ name: 'a/9.png', data: picture, ...wrong });
    expect(got).toBe(code);
  });

  it.each<[string, Buffer, string]>([
    ['a zip under a picture’s name', makeZip(twoLabels(1)), 'ARCHIVE_NESTED'],
    ['text', Buffer.from('no picture'), 'IMAGE_TYPE_UNSUPPORTED'],
    ['nothing', Buffer.alloc(0), 'IMAGE_EMPTY'],
    ['half a picture', picture.subarray(0, picture.length / 2), 'IMAGE_NOT_DECODABLE'],
    ['10 MB of zeros', Buffer.alloc(1e7), 'ENTRY_BOMB'],
  ])('refuses one entry that holds %s', async (_what, data, code) => {
    const { code: got } = await importBeside({ name: 'a/9.png', data, deflate: true });
    expect(got).toBe(code);
  });

  it('reads names that are not UTF-8 by code page 437', async () => {
    const latin = Buffer.from('a/\x81.png', 'latin1'); // ü in code page 437
    const imported = await importZip([...twoLabels(2), { name: latin, data: picture }]);
    expect(problemsOf(imported)).toEqual([]);
    expect(manifestOf(imported).report.accepted).toBe(5);
  });

  it('takes backslashes as separators, and UTF-8 that is not said to be such', async () => {
    const entries = [
      { name: 'a\\1.png', data: digitPng(1) },
      { name: 'a\\2.png', data: digitPng(2) },
      { name: Buffer.from('ä/1.png'), data: digitPng(3) },
      { name: Buffer.from('ä/2.png'), data: digitPng(4) },
    ];
    expect(manifestOf(await importZip(entries)).labels).toEqual(['a', 'ä']);
  });

  it('refuses all names that differ only by case or Unicode form', async () => {
    const entries = [
      ...twoLabels(2),
      { name: 'a/IMG.png', data: digitPng(20) },
      { name: 'a/img.PNG', data: digitPng(21) },
      { name: 'b/é.png', data: digitPng(22) },
      { name: 'b/e\u0301.png', data: digitPng(23) },
    ];
    const imported = await importZip(entries);
    expect(manifestOf(imported).report.accepted).toBe(4);
    expect(problemsOf(imported)).toEqual([
      'a/IMG.png NAME_ALIKE',
      'a/img.PNG NAME_ALIKE',
      'b/e\u0301.png NAME_ALIKE',
      'b/é.png NAME_ALIKE',
    ]);
  });

  it('ignores what systems leave in folders', async () => {
    const rubbish = ['__MACOSX/a/._1.png', 'a/.DS_Store', 'b/Thumbs.db', 'a/desktop.ini'];
    const imported = await importZip([
      ...twoLabels(2),
      { name: 'a/', data: Buffer.alloc(0) },
      ...rubbish.map((name) => ({ name, data: Buffer.from('x') })),
    ]);
    expect(manifestOf(imported).report).toMatchObject({ accepted: 4, ignored: 5, problemCount: 0 });
  });
});

describe('a zip as a whole', () => {
  const whole = makeZip(twoLabels(3));

  it.each<[string, Buffer, string]>([
    ['that is cut off', whole.subarray(0, whole.length - 30), 'ARCHIVE_TRUNCATED'],
    ['that is cut off in the middle', whole.subarray(0, whole.length / 2), 'ARCHIVE_TRUNCATED'],
    ['with bytes after its end', Buffer.concat([whole, Buffer.from('x')]), 'ARCHIVE_AMBIGUOUS'],
    ['with bytes before its start', Buffer.concat([whole.subarray(0, 9), whole]), 'ARCHIVE_DAMAGED'],
    ['that lists more than it counts', makeZip(twoLabels(3), { declared: 4 }), 'ARCHIVE_AMBIGUOUS'],
    ['that counts more than it lists', makeZip(twoLabels(3), { declared: 9 }), 'ARCHIVE_DAMAGED'],
    [
      'with an end in its comment',
      makeZip(twoLabels(3), { comment: endRecord(0, 0, 0) }),
      'ARCHIVE_AMBIGUOUS',
    ],
    [
      'whose entries share bytes',
      makeZip([...twoLabels(3), { name: 'b/2.png', data: digitPng(5), sharesPrevious: true }]),
      'ARCHIVE_OVERLAPPING',
    ],
    ['with nothing in it', makeZip([]), 'DATASET_EMPTY'],
    ['with one label', makeZip(twoLabels(3).slice(0, 3)), 'DATASET_LABELS'],
    ['with one picture of each label', makeZip(twoLabels(1)), 'DATASET_EMPTY'],
  ])('%s is refused', async (_what, bytes, code) => {
    const imported = await importBytes(bytes);
    expect(refusalOf(imported)).toBe(code);
    expect(await readdir(imported.dataDir)).toEqual([]);
  });

  it('with two tables of contents that each could be the one is refused', async () => {
    const table = whole.subarray(whole.indexOf('PK\x01\x02', 'latin1'), whole.length - 22);
    const comment = Buffer.concat([table, endRecord(6, table.length, whole.length)]);
    expect(refusalOf(await importBytes(makeZip(twoLabels(3), { comment })))).toBe('ARCHIVE_AMBIGUOUS');
  });

  it.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('no archive')],
    ['a picture', picture],
    ['a RAR', Buffer.from('Rar!\x1a\x07\x01\x00')],
  ])('is not %s', async (_what, bytes) => {
    expect(refusalOf(await importBytes(bytes))).toBe('ARCHIVE_TYPE_UNKNOWN');
  });

  it('is refused by its limits: bytes in all, ratio in all, entries', async () => {
    const bytes = makeZip(twoLabels(3));
    const limit = (limits: object) => importBytes(bytes, { limits: { ...defaultLimits, ...limits } });
    expect(refusalOf(await limit({ inflatedBytes: 1000 }))).toBe('ARCHIVE_TOO_LARGE');
    expect(refusalOf(await limit({ archiveRatio: 0.5, smallBytes: 1 }))).toBe('ARCHIVE_BOMB');
    expect(refusalOf(await limit({ entries: 5 }))).toBe('ARCHIVE_TOO_MANY_ENTRIES');
    expect((await limit({ entries: 6 })).outcome.ok).toBe(true);
  });

  it('of millions of entries is refused at once, and takes no memory, whatever number its end record says', async () => {
    const count = isLong ? 10_000_000 : 2_000_000; // listed, they take at least 94 MB
    const [honest, lying] = await writeDirectories(count, [count, 5]);
    const before = process.memoryUsage.rss();
    const staging = await temporaryDirectory();
    expect(await openArchive(honest!, staging, defaultLimits)).toMatchObject({
      code: 'ARCHIVE_TOO_MANY_ENTRIES',
    });
    expect(await openArchive(lying!, staging, defaultLimits)).toMatchObject({ code: 'ARCHIVE_AMBIGUOUS' });
    expect(process.memoryUsage.rss() - before).toBeLessThan(64e6);
  });
});

/** Files of nothing but a central directory of `count` entries, and one end record for each of `declared`. */
async function writeDirectories(count: number, declared: number[]): Promise<string[]> {
  const one = makeZip([{ name: 'x', data: Buffer.alloc(0) }]);
  const entry = one.subarray(31, 31 + 47); // behind its local header
  const block = Buffer.concat(Array.from({ length: 10_000 }, () => entry));
  const start = Buffer.from('PK\x03\x04', 'latin1');
  const folder = join(await temporaryDirectory(), 'zips');
  await mkdir(folder);
  function* chunks(end: Buffer) {
    yield start;
    for (let written = 0; written < count; written += 10_000) yield block;
    yield end;
  }
  const paths: string[] = [];
  for (const many of declared) {
    const path = join(folder, `${many}.zip`);
    const end = endRecord(count, count * entry.length, start.length, { declared: many });
    await pipeline(chunks(end), createWriteStream(path, { highWaterMark: 2 ** 22 }));
    paths.push(path);
  }
  return paths;
}
