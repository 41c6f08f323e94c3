import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { seal } from '../../../src/lib/sealed-json.ts';
import { openRegistry, type Registry } from '../../../src/model/registry/registry.ts';
import type { Draft } from '../../../src/model/registry/transitions.ts';
import { temporaryDirectory } from '../../temporary.ts';

let dataDir: string;
let registry: Registry;
beforeEach(async () => {
  dataDir = await temporaryDirectory();
  registry = openRegistry(dataDir);
});

const move = (to: number | null, change: Partial<Draft> = {}): Draft => ({
  action: 'moved',
  alias: 'champion',
  to,
  by: 'a test',
  reason: 'to see',
  ...change,
});
const write = (draft: Draft) => registry.decide('mnist', async () => ({ write: draft }));
const state = async () => (await registry.read('mnist'))!;
const pathOf = (number: number) => join(dataDir, 'registry/mnist', String(number), 'decision.json');

describe('registry', () => {
  it('knows no model before the first decision', async () => {
    expect(await registry.models()).toEqual([]);
    expect(await registry.read('mnist')).toBeNull();
    expect(await registry.history('mnist', 100)).toEqual([]);
  });

  it('knows no model whose first writer was killed, and one whose only decision is damaged', async () => {
    await mkdir(join(dataDir, 'registry/letters/.staging-1'), { recursive: true });
    expect(await registry.models()).toEqual([]);
    await write(move(1));
    await writeFile(pathOf(1), '{}');
    expect(await openRegistry(dataDir).models()).toEqual(['mnist']);
  });

  it('keeps what was decided, by whom and why, the newest first', async () => {
    await write(move(1));
    await write(move(2, { by: 'job 7', reason: 'better' }));
    expect(await registry.models()).toEqual(['mnist']);
    expect((await state()).aliases).toMatchObject({
      champion: { version: 2, by: 'job 7', reason: 'better' },
    });
    expect(await registry.history('mnist', 100)).toMatchObject([
      { number: 2, action: 'moved', alias: 'champion', from: 1, to: 2, by: 'job 7', reason: 'better' },
      { number: 1, from: null, to: 1 },
    ]);
    expect(await registry.history('mnist', 1)).toMatchObject([{ number: 2 }]);
  });

  it('has models side by side', async () => {
    await write(move(1));
    await registry.decide('letters', async () => ({ write: move(2) }));
    expect(await registry.models()).toEqual(['letters', 'mnist']);
    expect((await state()).aliases['champion']).toMatchObject({ version: 1 });
  });

  it('goes back step by step, and forward from there', async () => {
    for (const version of [1, 2, 3]) await write(move(version));
    expect((await state()).path).toEqual([3, 2, 1]);
    await write(move(2, { action: 'rolledBack' }));
    expect(await state()).toMatchObject({ path: [2, 1], recent: [2, 3, 1] });
    await write(move(4));
    expect((await state()).path).toEqual([4, 2, 1]);
    await write(move(9, { action: 'replaced' })); // was never champion
    expect((await state()).path).toEqual([9, 2, 1]);
  });

  it('leaves the state as it is when a version is kept', async () => {
    await write(move(1));
    const before = await state();
    await write(move(2, { action: 'kept' }));
    expect(await state()).toEqual(before);
    expect(await registry.history('mnist', 1)).toMatchObject([{ action: 'kept', to: 2 }]);
  });

  it("gives an alias's traffic to the champion when the alias goes", async () => {
    await write(move(1));
    await write(move(2, { alias: 'challenger' }));
    const traffic = { champion: 90, challenger: 10 };
    await write(move(null, { action: 'traffic', alias: null, traffic }));
    expect((await state()).traffic).toEqual(traffic);
    await write(move(null, { action: 'removed', alias: 'challenger' }));
    expect(await state()).toMatchObject({ traffic: null, aliases: { champion: { version: 1 } } });
  });

  it('plans anew on what another writer decided meanwhile', async () => {
    const other = openRegistry(dataDir);
    let plans = 0;
    const decision = await registry.decide('mnist', async (before) => {
      if (plans++ === 0) await other.decide('mnist', async () => ({ write: move(1) }));
      return { write: move((before?.aliases['champion']?.version ?? 10) + 1) };
    });
    expect(plans).toBe(2);
    expect(decision).toMatchObject({ number: 2, from: 1, to: 2 });
  });

  it('numbers every decision once, whoever writes at the same time', async () => {
    const writers = Array.from({ length: 8 }, () => openRegistry(dataDir));
    await Promise.all(
      writers.map(async (writer, i) => {
        for (let n = 0; n < 10; n++)
          await writer.decide('mnist', async () => ({ write: move(10 * i + n + 1) }));
      }),
    );
    const history = await registry.history('mnist', 1000);
    expect(history.map(({ number }) => number)).toEqual(Array.from({ length: 80 }, (_, i) => 80 - i));
    expect(new Set(history.map(({ to }) => to)).size).toBe(80);
    for (const [i, { from }] of history.entries()) expect(from).toBe(history[i + 1]?.to ?? null);
  });

  it('forgets decisions a thousand back, and never the newest', async () => {
    for (let n = 1; n <= 3; n++) await write(move(n));
    const directory = join(dataDir, 'registry/mnist');
    const { state: last } = (await registry.history('mnist', 1))[0]!;
    await mkdir(join(directory, '1001'));
    await writeFile(join(directory, '1001/decision.json'), 'damaged');
    await write(move(4));
    expect((await readdir(directory)).toSorted()).toEqual(['1001', '1002', '3'].toSorted());
    expect((await state()).path).toEqual([4, ...last.path]);
  });

  it('plans anew where a thousand decisions were written meanwhile, and its number is free again', async () => {
    const other = openRegistry(dataDir);
    const directory = join(dataDir, 'registry/mnist');
    let plans = 0;
    const decision = await registry.decide('mnist', async () => {
      if (plans++ > 0) return { write: move(9) };
      await other.decide('mnist', async () => ({ write: move(1) }));
      await mkdir(join(directory, '1000'));
      await other.decide('mnist', async () => ({ write: move(2) })); // number 1001, which deletes number 1
      return { write: move(8) };
    });
    expect(decision).toMatchObject({ number: 1002, from: 2, to: 9 });
    expect((await readdir(directory)).toSorted()).toEqual(['1000', '1001', '1002']);
  });

  it('refuses a name that is no name', async () => {
    for (const name of ['', '..', 'A', '1', 'a/b', 'a'.repeat(64)])
      await expect(registry.read(name)).rejects.toThrow('expected a lower-case letter');
  });
});

describe('a damaged decision', () => {
  it('is passed over wherever it is changed, and its number is not used again', async () => {
    await write(move(1));
    await write(move(2));
    const whole = await readFile(pathOf(2));
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (position, mask) => {
        const bytes = Buffer.from(whole);
        bytes[position]! ^= mask;
        await writeFile(pathOf(2), bytes);
        expect((await state()).aliases['champion']).toMatchObject({ version: 1 });
      }),
      { numRuns: 50 },
    );
    expect(await write(move(3))).toMatchObject({ number: 3, from: 1 });
  });

  it("is left out of the history, as is an unreadable one and another program's", async () => {
    for (const version of [1, 2, 3, 4]) await write(move(version));
    await writeFile(pathOf(3), '{}');
    await rm(pathOf(2));
    await symlink('/proc/self/mem', pathOf(2)); // reading it gives EIO
    await writeFile(pathOf(1), seal({ format: 99 }).bytes);
    expect((await registry.history('mnist', 100)).map(({ number }) => number)).toEqual([4]);
  });

  it('is told once, with its number and the reason', async () => {
    for (const version of [1, 2, 3]) await write(move(version));
    for (const number of [2, 3]) await writeFile(pathOf(number), '{}');
    const told: object[] = [];
    const another = openRegistry(dataDir, (damaged) => told.push(damaged));
    for (let times = 0; times < 2; times++)
      expect((await another.read('mnist'))!.aliases['champion']).toMatchObject({ version: 1 });
    const reason = expect.stringContaining('SHA-256');
    expect(told).toEqual([3, 2].map((number) => ({ model: 'mnist', number, reason })));
  });

  it('is an error where there is none before it', async () => {
    await write(move(1));
    await writeFile(pathOf(1), '{}');
    await expect(registry.read('mnist')).rejects.toMatchObject({ code: 'DECISION_DAMAGED' });
  });
});

it('says which directory can not be written, and what to do', async () => {
  await expect(
    openRegistry('/sys').decide('mnist', async () => ({ write: move(1) })), // not even root may write there
  ).rejects.toMatchObject({
    code: 'REGISTRY_NOT_WRITABLE',
    message: expect.stringMatching(
      /^expected to write the decision to \/sys\/registry\/mnist, got: .*; correct/,
    ),
  });
});
