/** One model whose decisions can't be read hides neither its versions nor the other models. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { seal } from '../../src/lib/sealed-json.ts';
import { buildNetwork } from '../../src/model/network/network.ts';
import { openRegistry } from '../../src/model/registry/registry.ts';
import { openStore } from '../../src/model/store/store.ts';
import { makeChampion } from '../model/registry/champion.ts';
import { provenance } from '../model/store/provenance.ts';
import { weights } from '../model/store/versions.ts';
import { temporaryDirectory } from '../temporary.ts';
import { buildQuietApp } from './quiet-app.ts';

it.each([
  ['damaged', 'DECISION_DAMAGED', '{"format":1'],
  ['of another program', 'DECISION_UNSUPPORTED', seal({ format: 2 }).bytes],
])(
  'a decision that is %s: its versions have no aliases, its model is not listed, and the log says why',
  async (_, code, content) => {
    const dataDir = await temporaryDirectory();
    const store = openStore(dataDir);
    for (const model of ['letters', 'mnist']) {
      const { version } = await store.publish(buildNetwork('article', 10), weights, { ...provenance, model });
      await makeChampion(dataDir, version, model);
    }
    await writeFile(join(dataDir, 'registry', 'letters', '1', 'decision.json'), content);
    const lines: { msg: string; model?: string; err?: { code: string } }[] = [];
    const log = pino({ level: 'warn' }, { write: (line) => void lines.push(JSON.parse(line)) });
    const app = await buildQuietApp({ store, registry: openRegistry(dataDir), log });

    const listed = await app.inject('/models');
    const aliases = listed.json().data.map((each: { aliases: string[] }) => each.aliases);
    expect(aliases).toEqual([['champion'], []]);
    expect((await app.inject('/models/1')).json()).toMatchObject({
      version: 1,
      model: 'letters',
      aliases: [],
    });
    const registered = await app.inject('/registry');
    expect(registered.statusCode).toBe(200);
    expect(registered.json()).toMatchObject({ data: [{ name: 'mnist', versions: 1 }] });
    expect((await app.inject('/registry/letters')).json()).toMatchObject({ status: 503, code });
    const warnings = lines.filter(({ model }) => model === 'letters').map(({ msg, err }) => [msg, err?.code]);
    expect(warnings).toEqual([
      ['versions shown without their aliases', code],
      ['versions shown without their aliases', code],
      ['model left out of the registry', code],
    ]);
  },
);
