import { beforeEach, describe, expect, it } from 'vitest';
import { type CallPorts, rollBack } from '../../../src/model/registry/calls.ts';
import { openRegistry, type Registry } from '../../../src/model/registry/registry.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { makeChampion } from './champion.ts';

type Loaded = Awaited<ReturnType<CallPorts['load']>>;

const caller = { by: 'a test', reason: '', ifRevision: null };
let registry: Registry;
let dataDir: string;
beforeEach(async () => {
  dataDir = await temporaryDirectory();
  registry = openRegistry(dataDir);
  for (const version of [1, 2, 3]) await makeChampion(dataDir, version);
});

/** Rolls back while the champion before the present one can't be loaded, and version 1 can. */
function rollBackPast(refusal: Loaded) {
  const load = async (version: number): Promise<Loaded> =>
    version === 2 ? refusal : { ok: true, model: 'mnist' };
  return rollBack('mnist', caller, { registry, load, testedOf: async () => null });
}
const champion = async () => (await registry.read('mnist'))!.aliases['champion']!.version;

describe('rollback', () => {
  it.each(['MODEL_NOT_FOUND', 'MODEL_NOT_LOADABLE'] as const)(
    'passes over a version with %s',
    async (code) => {
      expect(await rollBackPast({ ok: false, code, message: '' })).toMatchObject({ ok: true });
      expect(await champion()).toBe(1);
    },
  );

  it('changes nothing where the version may be loaded a moment later', async () => {
    const refusal = { ok: false, code: 'MODEL_NOT_LOADED_YET', message: 'ask again' } as const;
    expect(await rollBackPast(refusal)).toEqual(refusal);
    expect(await champion()).toBe(3);
  });

  it('takes nothing back that somebody else has decided meanwhile', async () => {
    const load = async (): Promise<Loaded> => {
      await makeChampion(dataDir, 4);
      return { ok: true, model: 'mnist' };
    };
    const result = await rollBack('mnist', caller, { registry, load, testedOf: async () => null });
    expect(result).toMatchObject({ ok: false, code: 'ROLLED_BACK_MEANWHILE' });
    expect(await champion()).toBe(4);
  });
});
