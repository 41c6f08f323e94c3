import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { makeZip } from '../../../../harness/zip.ts';
import { sha256Of } from '../../../../src/lib/sha256.ts';
import { defaultLimits } from '../../../../src/model/data/import/limits.ts';
import {
  digitPng,
  importBytes,
  makeTar,
  makeTarGz,
  manifestOf,
  picturesOf,
  problemsOf,
  refusalOf,
  twoLabels,
} from './importing.ts';

const block = 512; // bytes

describe('a tar', () => {
  it('gives the same set as a zip and a tar.gz of the same files, in whatever order', async () => {
    const entries = twoLabels(8);
    const sets = await Promise.all(
      [makeZip(entries), await makeTar(entries.toReversed()), await makeTarGz(entries)].map(async (bytes) => {
        const imported = await importBytes(bytes);
        const { pictures, report, testSet } = manifestOf(imported);
        return { pictures, report, testSet, bytes: sha256Of(await picturesOf(imported)) };
      }),
    );
    expect(sets[0]!.report.accepted).toBe(16);
    expect(sets[1]).toEqual(sets[0]);
    expect(sets[2]).toEqual(sets[0]);
  });

  it('may have long names in any script', async () => {
    const long = `${'folder of folders/'.repeat(8)}`;
    const entries = ['α', '文'].flatMap((label, l) =>
      [1, 2].map((i) => ({ name: `${long}${label}/${'ж'.repeat(60)}${i}.png`, data: digitPng(2 * l + i) })),
    );
    expect(manifestOf(await importBytes(await makeTar(entries))).labels).toEqual(['α', '文']);
  });

  it('has links, pipes and wrong paths refused, one by one', async () => {
    const bytes = await makeTar([
      ...twoLabels(3),
      { name: 'a/link.png', data: Buffer.alloc(0), type: 'symlink' },
      { name: 'a/pipe.png', data: Buffer.alloc(0), type: 'fifo' },
      { name: '../a/9.png', data: digitPng(9) },
      { name: '/a/9.png', data: digitPng(9) },
    ]);
    const imported = await importBytes(bytes);
    expect(manifestOf(imported).report.accepted).toBe(6);
    expect(problemsOf(imported)).toEqual([
      '../a/9.png PATH_OUTSIDE',
      '/a/9.png PATH_OUTSIDE',
      'a/link.png ENTRY_NOT_A_FILE',
      'a/pipe.png ENTRY_NOT_A_FILE',
    ]);
  });

  it('is refused where it was cut off, wherever that was', async () => {
    const tar = await makeTar(twoLabels(3));
    const end = tar.length - 2 * block;
    for (const length of [1000, end - 100, end - block, end, end + 100])
      expect(refusalOf(await importBytes(tar.subarray(0, length)))).toBe('ARCHIVE_TRUNCATED');
    expect(manifestOf(await importBytes(tar.subarray(0, end + block))).report.accepted).toBe(6);
  });

  it('is refused where a header is damaged', async () => {
    const tar = await makeTar(twoLabels(3));
    tar[2 * block + 20]! ^= 1; // in the second header
    expect(refusalOf(await importBytes(tar))).toBe('ARCHIVE_DAMAGED');
  });

  it('is refused by its limits', async () => {
    const tar = await makeTar(twoLabels(3));
    const limit = (limits: object) => importBytes(tar, { limits: { ...defaultLimits, ...limits } });
    expect(refusalOf(await limit({ entries: 5 }))).toBe('ARCHIVE_TOO_MANY_ENTRIES');
    expect(refusalOf(await limit({ inflatedBytes: 1000 }))).toBe('ARCHIVE_TOO_LARGE');
  });
});

describe('a gzip', () => {
  it('is refused where it is cut off, damaged or holds no tar', async () => {
    const gz = await makeTarGz(twoLabels(3));
    expect(refusalOf(await importBytes(gz.subarray(0, gz.length - 10)))).toBe('ARCHIVE_TRUNCATED');
    const damaged = Buffer.from(gz);
    damaged[gz.length - 6]! ^= 1; // its checksum
    expect(refusalOf(await importBytes(damaged))).toBe('ARCHIVE_DAMAGED');
    expect(refusalOf(await importBytes(gzipSync('no tar')))).toBe('ARCHIVE_TYPE_UNKNOWN');
  });

  it('is refused before it has inflated to more than it may', async () => {
    const zeros = gzipSync(Buffer.alloc(2e7));
    const limit = (limits: object) => importBytes(zeros, { limits: { ...defaultLimits, ...limits } });
    expect(refusalOf(await limit({ inflatedBytes: 1e6 }))).toBe('ARCHIVE_TOO_LARGE');
    expect(refusalOf(await limit({ smallBytes: 1000 }))).toBe('ARCHIVE_BOMB');
  });
});
