import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeZip } from '../../../../harness/zip.ts';
import { labelOf, sortLabels, splitOf } from '../../../../src/model/data/import/labels.ts';
import { layOutFolders } from '../../../../src/model/data/import/layout.ts';
import { defaultLimits } from '../../../../src/model/data/import/limits.ts';
import { isLong } from '../../../long.ts';
import {
  digitPng,
  importBytes,
  importZip,
  manifestOf,
  pictures,
  problemsOf,
  refusalOf,
  twoLabels,
} from './importing.ts';

const mostLines = isLong ? defaultLimits.entries : 3000; // of a table
const place = { size: 1, stored: 1, offset: 0, local: null };
const entriesOf = (paths: readonly string[]) => paths.map((path) => ({ parts: path.split('/'), place }));

/** `split/label` of each path, or the code of its problem. */
function layOut(paths: readonly string[]): string[] {
  const { files, unused } = layOutFolders(entriesOf(paths));
  const found = new Map<string, string>();
  for (const { entry, label, split } of files) found.set(entry.parts.join('/'), `${split ?? ''}/${label}`);
  for (const { parts, fault } of unused) found.set(parts.join('/'), fault.code);
  return paths.map((path) => found.get(path)!);
}

describe('the layout of folders', () => {
  it('is label/picture, or split/label/picture in the words that people use', () => {
    expect(layOut(['a/1.png', 'b/1.png'])).toEqual(['/a', '/b']);
    expect(layOut(['Train/a/1.png', 'VALID/b/1.png', 'testing/b/2.png'])).toEqual([
      'train/a',
      'validation/b',
      'test/b',
    ]);
  });

  it('leaves out the folders around everything, but no label', () => {
    expect(layOut(['x/y/a/1.png', 'x/y/b/1.png'])).toEqual(['/a', '/b']);
    expect(layOut(['x/train/a/1.png', 'x/test/a/1.png'])).toEqual(['train/a', 'test/a']);
    expect(layOut(['a/1.png', 'a/2.png'])).toEqual(['/a', '/a']);
    expect(layOut(['train/a/1.png', 'train/b/1.png'])).toEqual(['/a', '/b']);
  });

  it('takes split words for labels where they are some', () => {
    expect(layOut(['train/1.png', 'car/1.png', 'test/1.png'])).toEqual(['/train', '/car', '/test']);
  });

  it('says what lies elsewhere', () => {
    expect(layOut(['train/a/1.png', 'test/a/1.png', 'more/a/1.png'])[2]).toBe('LAYOUT_UNKNOWN');
    expect(layOut(['a/1.png', 'b/1.png', 'README.txt', 'c/d/1.png'])).toEqual([
      '/a',
      '/b',
      'LAYOUT_UNKNOWN',
      'LAYOUT_UNKNOWN',
    ]);
  });

  it('is the same whatever folders are around it and in whatever order the files come', () => {
    const word = fc.stringMatching(/^[a-zä文]{1,6}$/).filter((text) => splitOf(text) === null);
    const paths = fc.uniqueArray(fc.tuple(word, word), {
      selector: ([label, file]) => `${label}/${file}`.toLowerCase(),
      minLength: 2,
      maxLength: 20,
    });
    const split = fc.constantFrom(null, 'train', 'test', 'val');
    fc.assert(
      fc.property(paths, split, fc.array(word, { maxLength: 3 }), (files, inSplit, around) => {
        fc.pre(new Set(files.map(([label]) => label)).size > 1);
        const labelled = files.map(([label, file], i) => {
          const part = inSplit && (i === 0 ? 'test' : i === 1 ? 'train' : inSplit);
          const path = [...around, ...(part ? [part] : []), label, `${file}.png`].join('/');
          return { path, expected: `${part === 'val' ? 'validation' : (part ?? '')}/${label}` };
        });
        const expected = labelled.map((file) => file.expected);
        expect(layOut(labelled.map(({ path }) => path))).toEqual(expected);
        expect(layOut(labelled.map(({ path }) => path).toReversed())).toEqual(expected.toReversed());
      }),
    );
  });
});

describe('labels', () => {
  it('are sorted as numbers where all are, and else by code points', () => {
    expect(sortLabels(['10', '9', '-1', '2.5'])).toEqual(['-1', '2.5', '9', '10']);
    expect(sortLabels(['10', '9', 'x'])).toEqual(['10', '9', 'x']);
    expect(sortLabels(['\u{1F600}', '\uFF21', 'b', 'B'])).toEqual(['B', 'b', '\uFF21', '\u{1F600}']);
  });

  it('are in normal form C, trimmed, of 1 to 64 characters', () => {
    expect(labelOf(' e\u0301 ')).toBe('é');
    expect(labelOf('\u{1F600}'.repeat(64))).toBe('\u{1F600}'.repeat(64));
    for (const wrong of ['', '  ', 'x'.repeat(65), 'a\tb', '\u200B', 'a\u202Eb'])
      expect(labelOf(wrong)).toBeNull();
  });

  it('may differ by case only, which the report says', async () => {
    const { labels, report } = manifestOf(await importZip([...pictures('A', 3), ...pictures('a', 3, 3)]));
    expect(labels).toEqual(['A', 'a']);
    expect(report.problemCount).toBe(0);
    expect(report.notes).toContain('labels that differ by case only, taken as several: A, a');
  });

  it('are refused where there are more than a thousand', async () => {
    const entries = Array.from({ length: 1001 }, (_, i) => ({ name: `${i}/1.png`, data: digitPng(0) }));
    expect(refusalOf(await importBytes(makeZip(entries)))).toBe('DATASET_LABELS');
  });
});

describe('a table of metadata', () => {
  const files = Array.from({ length: 8 }, (_, i) => ({ name: `set/images/${i}.png`, data: digitPng(i) }));
  const rows = files.map(({ name }, i) => ({
    file_name: name.slice(4),
    label: i % 2 === 0 ? 'even' : 'odd',
  }));

  const withTable = (name: string, text: string) =>
    importZip([...files, { name: `set/${name}`, data: Buffer.from(text) }]);
  const csvOf = (lines: readonly string[]) => ['file_name,label,split', ...lines].join('\r\n');

  it('names the labels, as CSV or as lines of JSON', async () => {
    const csv = await withTable('metadata.csv', csvOf(rows.map((row) => `${row.file_name},"${row.label}",`)));
    const jsonl = await withTable('metadata.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
    expect(manifestOf(csv)).toMatchObject({
      labels: ['even', 'odd'],
      report: { accepted: 8, problemCount: 0 },
    });
    expect(manifestOf(jsonl).pictures).toEqual(manifestOf(csv).pictures);
  });

  it('names the splits too', async () => {
    const lines = rows.map((row, i) => `${row.file_name},${row.label},${i < 6 ? 'train' : 'test'}`);
    expect(manifestOf(await withTable('metadata.csv', csvOf(lines))).counts).toMatchObject({
      train: { count: 6 },
      test: { count: 2, byLabel: [1, 1] },
    });
  });

  it('may lie in the folder of each split', async () => {
    const part = (name: string, first: number) => [
      ...pictures(name, 4, first),
      {
        name: `${name}/metadata.csv`,
        data: Buffer.from('file_name,label\n0.png,x\n1.png,y\n2.png,x\n3.png,y\n'),
      },
    ];
    const { counts, labels } = manifestOf(await importZip([...part('train', 0), ...part('test', 4)]));
    expect(labels).toEqual(['x', 'y']);
    expect(counts).toEqual({ train: { count: 4, byLabel: [2, 2] }, test: { count: 4, byLabel: [2, 2] } });
  });

  it('has its wrong lines reported, each by its number', async () => {
    const lines = [
      ...rows.slice(0, 6).map((row) => `${row.file_name},${row.label},`),
      'images/6.png,,',
      'images/none.png,even,',
      'images/0.png,odd,',
      'images/7.png,odd,nowhere',
      ',even,',
    ];
    const imported = await withTable('metadata.csv', csvOf(lines));
    expect(manifestOf(imported).report.accepted).toBe(5);
    expect(problemsOf(imported)).toEqual(
      [
        'set/images/0.png PICTURE_LABELLED_TWICE',
        'set/images/6.png PICTURE_UNLABELLED',
        'set/images/7.png PICTURE_UNLABELLED',
        'set/images/none.png FILE_MISSING',
        'set/metadata.csv:12 METADATA_INVALID',
        'set/metadata.csv:8 LABEL_INVALID',
        'set/metadata.csv:11 METADATA_INVALID',
      ].toSorted(),
    );
  });

  it.each([';', '\t'])('may have its columns separated by %j', async (delimiter) => {
    const lines = rows.map((row) => `${row.file_name}${delimiter}${row.label}, as it is`);
    const text = [`file_name${delimiter}label`, ...lines].join('\n');
    expect(manifestOf(await withTable('metadata.csv', text)).labels).toEqual([
      'even, as it is',
      'odd, as it is',
    ]);
  });

  it('names a picture once, in whichever of its lines another label stands', async () => {
    const again = ['images/0.png,even,', 'images/0.png,odd,'];
    const lines = rows.map((row) => `${row.file_name},${row.label},`);
    const imported = await withTable('metadata.csv', csvOf([...lines, ...again]));
    expect(problemsOf(imported)).toEqual(['set/images/0.png PICTURE_LABELLED_TWICE']);
  });

  it('is quoted shortly', async () => {
    const long = 'x'.repeat(100_000);
    const lines = rows.map((row) => `${row.file_name},${row.label},`);
    const { report } = manifestOf(
      await withTable('metadata.csv', csvOf([...lines, `images/0.png,${long},${long}`])),
    );
    expect(report.problems).toHaveLength(1);
    expect(report.problems[0]!.got).toHaveLength(100);
  });

  it.each([
    ['in Latin-1', Buffer.from('file_name,label\nimages/0.png,é', 'latin1'), 'expected text in UTF-8'],
    [
      'with other columns',
      Buffer.from('filename,class\nimages/0.png,even'),
      'expected the columns file_name and label (and split) in the first line, got filename, class',
    ],
    [
      'with more lines than an archive may have entries',
      Buffer.from(csvOf(Array.from({ length: mostLines + 1 }, () => 'a,b,'))),
      `expected at most ${mostLines} lines, got more`,
    ],
    [
      'with more lines of JSON',
      Buffer.from('{}\n'.repeat(mostLines + 1)),
      `expected at most ${mostLines} lines, got more`,
    ],
  ])('%s is named as the cause', async (what, data, message) => {
    const name = what.includes('JSON') ? 'metadata.jsonl' : 'metadata.csv';
    const limits = { ...defaultLimits, entries: mostLines };
    const imported = await importZip([...files, { name: `set/${name}`, data }], { limits });
    expect(imported.outcome).toMatchObject({ ok: false, message: expect.stringContaining(message) });
  });

  it.each([
    ['metadata.csv', 'file_name,label\n"open,x'],
    ['metadata.jsonl', '{"file_name": "images/0.png", "label"'],
    ['metadata.csv', 'no,columns\n1,2'],
    ['metadata.csv', '\u0000\u0001'],
  ])('%s that can not be read leaves nothing to import', async (name, text) => {
    const imported = await withTable(name, text);
    expect(refusalOf(imported)).toBe('DATASET_EMPTY');
    expect(problemsOf(imported)).toContain('set/images/0.png PICTURE_UNLABELLED');
  });
});

it('reports a thousand problems and counts the others', async () => {
  const wrong = Array.from({ length: 1010 }, (_, i) => ({ name: `c/${i}.png`, data: Buffer.from('text') }));
  const { report } = manifestOf(await importZip([...twoLabels(3), ...wrong]));
  expect(report.problems).toHaveLength(1000);
  expect(report.problemCount).toBe(1010);
  expect(report.notes).toContain('labels left out, since none of their pictures could be used: c');
});
