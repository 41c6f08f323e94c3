/**
 * SIGKILL at every file-system call of every change to a store. In the short form every third call,
 * before, during and after it in turn; FAULTS=long: every call at each of the three moments.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openRegistry } from '../../src/model/registry/registry.ts';
import { type ModelStore, openStore } from '../../src/model/store/store.ts';
import { makeChampion } from '../model/registry/champion.ts';
import { provenance } from '../model/store/provenance.ts';
import { evaluation, fileNames, pathOf, publish } from '../model/store/versions.ts';
import { temporaryDirectory } from '../temporary.ts';
import { faults } from './forms.ts';

const program = fileURLToPath(new URL('store-crash-program.mjs', import.meta.url));
const moments = ['before', 'during', 'after'] as const;
const atOnce = 2; // processes; one a core
const mostCalls = 100;

type Kill = { readonly call: number; readonly moment: (typeof moments)[number] };
type Change = 'publish' | 'quarantine' | 'retain' | 'decide';

type Filled = { dataDir: string; store: ModelStore };

/** Versions 1 (the best), 2 and 3, about which nothing was decided. */
const undecided = await temporaryDirectory();
for (const accuracy of [0.9, 0.5, 0.5]) await publish(openStore(undecided), accuracy);

/** The same versions, of which two were champions. */
const decided = (await copyOf(undecided)).dataDir;
for (const version of [1, 2]) await makeChampion(decided, version);

/** A store for one kill: a copy, which costs less than publishing anew. */
async function copyOf(from: string): Promise<Filled> {
  const dataDir = await temporaryDirectory();
  await cp(from, dataDir, { recursive: true });
  return { dataDir, store: openStore(dataDir) };
}

async function bytesOf(dataDir: string, version: number): Promise<Buffer> {
  return Buffer.concat(await Promise.all(fileNames.map((name) => readFile(pathOf(dataDir, version, name)))));
}

/** The name of the call at which it was killed; null when it made fewer calls than that. */
async function killAt(dataDir: string, change: Change, { call, moment }: Kill): Promise<string | null> {
  const args = [program, dataDir, change, moment, String(call), JSON.stringify({ provenance, evaluation })];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const said = (await text(child.stdout)).trim();
  const [code, signal] = await exited;
  const expected = said === 'survived' ? { code: 0, signal: null } : { code: null, signal: 'SIGKILL' };
  expect({ code, signal }, `at call ${call}, ${moment}: ${said}`).toEqual(expected);
  return said === 'survived' ? null : said;
}

/** Kills one process at each call there is, and checks the store after every one. Returns where they were killed. */
async function killEverywhere(
  change: Change,
  check: (store: ModelStore, dataDir: string, before: Map<number, Buffer>) => Promise<void>,
  from = decided,
): Promise<string[]> {
  const killed: string[] = [];
  let survived = false;
  const kills = plan();
  const lane = async () => {
    for (const kill of kills) {
      if (survived) return;
      const { dataDir, store } = await copyOf(from);
      const before = new Map<number, Buffer>();
      for (const version of await store.versions()) before.set(version, await bytesOf(dataDir, version));
      const name = await killAt(dataDir, change, kill);
      if (name === null) survived = true;
      else killed.push(`${kill.call} ${name}`);
      await check(store, dataDir, before);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane)); // the lanes take from one plan
  expect(survived, `fewer than ${mostCalls} calls`).toBe(true);
  return killed;
}

function* plan(): Generator<Kill> {
  for (let call = 1; call < mostCalls; call += faults.isLong ? 1 : 3) {
    if (faults.isLong) for (const moment of moments) yield { call, moment };
    else yield { call, moment: moments[((call - 1) / 3) % 3]! };
  }
}

function report(change: Change, killed: string[]): void {
  console.log(`SIGKILL during ${change}: ${killed.length} kills, at ${[...new Set(killed)].join(', ')}`);
}

/** What holds after any kill: the old decision or the new one, and every one before it. */
async function expectWholeHistory(dataDir: string): Promise<void> {
  const history = await openRegistry(dataDir).history('mnist', 100);
  expect([2, 3]).toContain(history.length);
  const last = history.length;
  expect(history.map(({ number, to }) => [number, to])).toEqual(
    [3, 2, 1].slice(3 - last).map((number) => [number, number]),
  );
  await makeChampion(dataDir, 1);
  expect(await openRegistry(dataDir).history('mnist', 1)).toMatchObject([{ number: last + 1, to: 1 }]);
}

/** What holds after any kill: there is no decision, and no model, or the first one. */
async function expectFirstDecision(dataDir: string): Promise<void> {
  const registry = openRegistry(dataDir);
  const history = await registry.history('mnist', 100);
  const isDecided = (await registry.read('mnist')) !== null;
  expect(history.map(({ number, to }) => [number, to])).toEqual(isDecided ? [[1, 3]] : []);
  expect(await registry.models()).toEqual(isDecided ? ['mnist'] : []);
  await makeChampion(dataDir, 1);
  expect(await registry.history('mnist', 1)).toMatchObject([{ number: history.length + 1, to: 1 }]);
}

/** What holds after any kill: all that is listed is whole, and a next version comes after all others. */
async function expectSound(store: ModelStore, dataDir: string): Promise<void> {
  const listed = await store.versions();
  for (const version of listed) {
    await store.load(version);
    expect(await store.evaluation(version)).toEqual(evaluation);
  }
  const highest = Math.max(3, ...listed);
  expect(await publish(store)).toBeGreaterThan(highest);
  const names = await readdir(pathOf(dataDir));
  expect(names.filter((name) => name.startsWith('.removed-'))).toEqual([]);
}

describe('SIGKILL at every file-system call', () => {
  it('of publishing leaves all versions whole and untouched', { timeout: 600_000 }, async () => {
    const killed = await killEverywhere('publish', async (store, dataDir, before) => {
      expect((await store.versions()).filter((version) => version <= 3)).toEqual([3, 2, 1]);
      for (const [version, bytes] of before)
        expect((await bytesOf(dataDir, version)).equals(bytes)).toBe(true);
      await expectSound(store, dataDir);
    });
    report('publish', killed);
    expect(killed.length).toBeGreaterThanOrEqual(faults.isLong ? 50 : 8);
  });

  it('of a decision leaves the old one or the new one, and the history whole', {
    timeout: 600_000,
  }, async () => {
    const killed = await killEverywhere('decide', (_store, dataDir) => expectWholeHistory(dataDir));
    report('decide', killed);
    expect(killed.length).toBeGreaterThanOrEqual(faults.isLong ? 20 : 5);
  });

  it('of the first decision about a model leaves it, or a model without decisions', {
    timeout: 600_000,
  }, async () => {
    const check = (_store: ModelStore, dataDir: string) => expectFirstDecision(dataDir);
    const killed = await killEverywhere('decide', check, undecided);
    report('decide', killed);
    expect(killed.length).toBeGreaterThanOrEqual(faults.isLong ? 20 : 5);
  });

  it('of quarantine leaves the version in one place, whole', { timeout: 600_000 }, async () => {
    const killed = await killEverywhere('quarantine', async (store, dataDir, before) => {
      const moved = !(await store.versions()).includes(3);
      const place = moved ? 'quarantine/3' : '3';
      const files = await Promise.all(fileNames.map((name) => readFile(pathOf(dataDir, place, name))));
      expect(Buffer.concat(files).equals(before.get(3)!)).toBe(true);
      expect((await store.quarantined()).map(({ version }) => version)).toEqual(moved ? [3] : []);
      await expectSound(store, dataDir);
    });
    report('quarantine', killed);
    expect(killed.length).toBeGreaterThanOrEqual(faults.isLong ? 20 : 3);
  });

  it('of retention leaves the versions that stay, and no half of another', { timeout: 600_000 }, async () => {
    const killed = await killEverywhere('retain', async (store, dataDir) => {
      const listed = await store.versions();
      expect(listed.filter((version) => version !== 2)).toEqual([3, 1]);
      await expectSound(store, dataDir);
    });
    report('retain', killed);
    expect(killed.length).toBeGreaterThanOrEqual(faults.isLong ? 10 : 2);
  });
});
