import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { SealedRecords } from '../../src/lib/sealed-records.ts';
import { temporaryDirectory } from '../temporary.ts';

type Note = { readonly text: string };

let root: string;
let damaged: [id: string, reason: string][];
beforeEach(async () => {
  root = join(await temporaryDirectory(), 'notes');
  damaged = [];
});

const open = () =>
  new SealedRecords<Note>(root, {
    parse: (content) => ('text' in content ? { text: String(content.text) } : null),
    onDamaged: (id, reason) => damaged.push([id, reason]),
  });
const fileOf = (id: string) => join(root, id, 'record.json');

describe('sealed records', () => {
  it('are none before the first', async () => {
    const records = open();
    expect(await records.list()).toEqual(new Map());
    expect(await records.count()).toBe(0);
    expect(await records.read('a')).toBeNull();
    expect(await records.remove('a')).toBe(false);
  });

  it('are read by whoever opens the directory', async () => {
    expect(await open().create('a', { text: 'one' })).toBe(true);
    expect(await open().read('a')).toEqual({ text: 'one' });
    expect(await open().list()).toEqual(new Map([['a', { text: 'one' }]]));
  });

  it('keep what was created first', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) => open().create('a', { text: `writer ${i}` })),
    );
    const [winner] = [...outcomes.keys()].filter((i) => outcomes[i]);
    expect(outcomes.filter(Boolean)).toHaveLength(1);
    expect(await open().read('a')).toEqual({ text: `writer ${winner}` });
    expect(await readdir(root)).toEqual(['a']);
  });

  it('are gone once removed, and may come back as others, which every reader notices', async () => {
    const reader = open();
    await open().create('a', { text: 'one' });
    expect(await reader.read('a')).toEqual({ text: 'one' });
    const [first, second] = await Promise.all([open().remove('a'), open().remove('a')]);
    expect([first, second].filter(Boolean)).toHaveLength(1);
    expect(await reader.read('a')).toBeNull();
    await open().create('a', { text: 'two' });
    expect(await reader.read('a')).toEqual({ text: 'two' });
    expect(await reader.list()).toEqual(new Map([['a', { text: 'two' }]]));
  });

  it('are left out where they are damaged or of another form, which is told once', async () => {
    const records = open();
    for (const id of ['a', 'b', 'c']) await records.create(id, { text: id });
    await writeFile(fileOf('a'), '{"text": "forged"}');
    await writeFile(fileOf('b'), '');
    await new SealedRecords<object>(root, { parse: (content) => content }).create('d', { title: 'no text' });
    for (let times = 0; times < 2; times++) expect([...(await records.list()).keys()]).toEqual(['c']);
    expect(damaged.map(([id]) => id).toSorted()).toEqual(['a', 'b', 'd']);
    expect(await records.count()).toBe(4);
  });

  it('are read once while none is created or removed, and anew as soon as one is', async () => {
    const [reader, writer] = [open(), open()];
    for (const id of ['a', 'b']) await writer.create(id, { text: id });
    await utimes(root, 1000, 1000); // as if that were long ago
    const first = await reader.list();
    expect(await reader.list()).toBe(first);
    await writer.create('c', { text: 'c' });
    expect([...(await reader.list()).keys()].toSorted()).toEqual(['a', 'b', 'c']);
    await utimes(root, 2000, 2000);
    expect((await reader.list()).size).toBe(3);
    await writer.remove('a');
    expect([...(await reader.list()).keys()].toSorted()).toEqual(['b', 'c']);
  });

  it('are read anew when the last change is so young that another may have the same time', async () => {
    const [reader, writer] = [open(), open()];
    const soon = new Date(Date.now() + 60 * 60 * 1000); // young, however slow this machine is
    await writer.create('a', { text: 'a' });
    await utimes(root, soon, soon);
    expect((await reader.list()).size).toBe(1);
    await writer.create('b', { text: 'b' });
    await utimes(root, soon, soon);
    expect((await reader.list()).size).toBe(2);
  });

  it('ignore what a writer that was killed has left, and the next writer clears it away', async () => {
    await mkdir(join(root, '.staging-dead'), { recursive: true });
    await mkdir(join(root, '.staging-alive'), { recursive: true });
    await utimes(join(root, '.staging-dead'), 0, 0);
    expect(await open().list()).toEqual(new Map());
    await open().create('a', { text: 'one' });
    expect((await readdir(root)).toSorted()).toEqual(['.staging-alive', 'a']);
  });
});
