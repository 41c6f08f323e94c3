import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { greyPng } from '../../../../harness/plain-png.ts';
import { makeZip } from '../../../../harness/zip.ts';
import { sha256Of } from '../../../../src/lib/sha256.ts';
import type { ReadProgress } from '../../../../src/model/data/import/read-slots.ts';
import { openDatasets } from '../../../../src/model/data/imported/datasets.ts';
import {
  importBytes,
  importFile,
  importZip,
  manifestOf,
  pictures,
  picturesOf,
  refusalOf,
  twoLabels,
} from './importing.ts';

describe('an import', () => {
  it('describes where the set came from', async () => {
    const bytes = makeZip(twoLabels(5));
    const manifest = manifestOf(await importBytes(bytes, { fileName: 'my letters.zip', seed: 7 }));
    expect(manifest).toMatchObject({
      format: 1,
      name: 'letters',
      form: 'picture',
      testShare: 0.2,
      seed: 7,
      source: { fileName: 'my letters.zip', bytes: bytes.length },
      report: { form: { asked: 'picture', chosen: 'picture', looked: 0 } },
    });
  });

  it('gives the same bytes again, and leaves nothing else behind', async () => {
    const entries = [...pictures('a', 60), ...pictures('b', 60, 60)];
    const [one, two] = await Promise.all([importZip(entries), importZip(entries)]);
    expect(sha256Of(await picturesOf(two!))).toBe(sha256Of(await picturesOf(one!)));
    expect(await readdir(one!.staging)).toEqual(['archive']);
    expect((await readdir(join(one!.dataDir, 'datasets', 'letters'))).toSorted()).toEqual([
      'manifest.json',
      'pictures.bin',
    ]);
  });

  it('chooses the form by a look at the pictures', async () => {
    const drawn = manifestOf(
      await importZip([...pictures('a', 10), ...pictures('b', 10, 10)], { form: 'auto' }),
    );
    expect(drawn.form).toBe('ink');
    expect(drawn.report.form).toMatchObject({ asked: 'auto', chosen: 'ink', looked: 20 });
    const shaded = (folder: string, first: number) =>
      Array.from({ length: 10 }, (_, i) => {
        const greys = Uint8Array.from({ length: 784 }, (_grey, at) => (at * (first + i + 3) * 7) % 251);
        return { name: `${folder}/${i}.png`, data: greyPng(greys, 28, 28) };
      });
    const things = manifestOf(await importZip([...shaded('a', 0), ...shaded('b', 20)], { form: 'auto' }));
    expect(things.report.form).toMatchObject({ chosen: 'picture', looked: 20, drawn: 0 });
    const broken = ['a', 'b'].map((label) => ({ name: `${label}/1.png`, data: Buffer.from('none') }));
    const { outcome } = await importZip(broken, { form: 'auto' });
    if (outcome.ok) throw new Error('expected a refusal');
    expect(outcome.report?.form).toMatchObject({ chosen: 'picture', looked: 0 });
  });

  it('reports how far it is', async () => {
    const seen: ReadProgress[] = [];
    await importZip([...twoLabels(30), { name: 'a/x.png', data: Buffer.from('text') }], {
      onProgress: (progress) => seen.push(progress),
    });
    expect(seen.at(-1)).toEqual({ pictures: 61, count: 61, problems: 1 });
    expect(seen.map(({ pictures: done }) => done)).toEqual(
      seen.map(({ pictures: done }) => done).toSorted((a, b) => a - b),
    );
  });

  it('ends when it is told to, and leaves no set', async () => {
    const stop = new AbortController();
    const dataDir = (await importZip(twoLabels(2))).dataDir;
    const importing = importZip(twoLabels(300), {
      dataDir,
      name: 'others',
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('enough')),
    });
    await expect(importing).rejects.toThrow('enough');
    expect(await readdir(join(dataDir, 'datasets'))).toEqual(['letters']);
  });

  it('does not take a name that another set has', async () => {
    const first = await importZip(twoLabels(5));
    const { dataDir } = first;
    expect(refusalOf(await importZip(twoLabels(6), { dataDir }))).toBe('DATASET_NAME_TAKEN');
    expect(refusalOf(await importZip(twoLabels(5), { dataDir, seed: 2 }))).toBe('DATASET_NAME_TAKEN');
    expect(await openDatasets(dataDir).manifest('letters')).toEqual(manifestOf(first));
  });

  it('may take as much as is left beside other sets, to the byte, and leaves nothing where it is more', async () => {
    const { dataDir } = await importZip(twoLabels(5), { name: 'first' });
    const others = await openDatasets(dataDir).bytes();
    const entries = twoLabels(6);
    await importZip(entries, { dataDir });
    const whole = await openDatasets(dataDir).bytes();
    await openDatasets(dataDir).remove('letters');
    for (const allBytes of [0, others, others + 12 * 784, whole - 60]) {
      const refused = await importZip(entries, { dataDir, allBytes });
      expect(refused.outcome).toMatchObject({
        code: 'DATASETS_FULL',
        message: expect.stringMatching(new RegExp(`at most ${allBytes} bytes, got \\d+ .* ${others} bytes`)),
        report: { accepted: 12, problemCount: 0 },
      });
      expect(await readdir(join(dataDir, 'datasets'))).toEqual(['first']);
    }
    expect(manifestOf(await importZip(entries, { dataDir, allBytes: whole })).name).toBe('letters');
  });

  it('counts as done where an earlier attempt has published the same set', async () => {
    const first = await importZip(twoLabels(5));
    for (const allBytes of [Infinity, 1]) {
      const again = await importFile(first.archive, { ...first, allBytes });
      expect(manifestOf(again)).toEqual(manifestOf(first));
    }
  });

  it('goes on after an attempt that was killed while it wrote', async () => {
    const bytes = makeZip(twoLabels(5));
    const expected = sha256Of(await picturesOf(await importBytes(bytes)));
    const { archive, staging, dataDir } = await importBytes(Buffer.from('no archive'));
    await writeFile(archive, bytes);
    await writeFile(join(staging, 'greys.tmp'), 'half');
    await writeFile(join(staging, 'archive.tar'), 'half');
    const again = await importFile(archive, { staging, dataDir });
    expect(sha256Of(await picturesOf(again))).toBe(expected);
  });
});
