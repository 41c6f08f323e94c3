/** HOST and PORT at which the service can't listen: what the launcher and the server say, and that nothing is left. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { processesOf } from '../../harness/service.ts';
import { readListenerConfig } from '../../src/config.ts';
import { repository } from '../setup/checkout.ts';
import { temporaryDirectory } from '../temporary.ts';

type Ended = { readonly code: number; readonly output: string; readonly dataDir: string };

async function run(program: string, env: NodeJS.ProcessEnv, ...args: string[]): Promise<Ended> {
  const dataDir = join(await temporaryDirectory(), 'data');
  const { REDIS_URL: _, ...inherited } = process.env;
  const settings = { DATA_DIR: dataDir, FIRST_MODEL: 'false', ENGINE: 'wasm', PORT: '0', ...env };
  const options = { cwd: repository, env: { ...inherited, ...settings } };
  return new Promise((resolve) => {
    execFile(process.execPath, [`dist/${program}.js`, ...args], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr, dataDir });
    });
  });
}

const redis = { REDIS_URL: 'redis://127.0.0.1:9' };

type Refusal = readonly [host: string, text: RegExp];

const refusals: readonly Refusal[] = [
  [
    'x86_64-conda-linux-gnu',
    /name that resolves to one, got neither .* conda or your shell did: set HOST=127\.0\.0\.1/,
  ],
  [
    'my-macbook.invalid',
    /name that resolves to one, got neither .* conda or your shell did: set HOST=127\.0\.0\.1/,
  ],
  ['http://127.0.0.1', /without scheme, port or path; set HOST=127\.0\.0\.1/],
  ['127.0.0.1:3000', /without scheme, port or path; set HOST=127\.0\.0\.1 and PORT=3000/],
  ['1.2.3.4', /expected an address of this machine, got one that it can't listen at/],
  ['0.0.0.0', /other hosts can reach this address: expected API_KEY.*ALLOW_ANONYMOUS=true/],
];
/** One that is checked before the rest of the configuration, and one that is checked with it. */
const tried = ['my-macbook.invalid', '0.0.0.0'];

describe('the configuration', () => {
  it.each(refusals)('has no HOST=%s, as a variable or an option', async (host, text) => {
    for (const [names, shown] of [
      [{}, `HOST=${host}`],
      [{ HOST: '--host' }, `--host ${host}`],
    ] as const) {
      const message = await readListenerConfig({ environment: { HOST: host }, names }).catch(String);
      expect(message).toContain('not as expected:\n');
      expect(message).toContain(`  ${shown}: `);
      expect(message).toMatch(text);
    }
  });
});

describe.each([
  ['start', {}],
  ['server', redis],
])('%s', (program, env) => {
  it.each(refusals.filter(([host]) => tried.includes(host)))(
    'refuses HOST=%s before anything is started',
    async (host, text) => {
      const { code, output, dataDir } = await run(program, { ...env, HOST: host });
      expect(output).toMatch(/^CONFIG_INVALID: the environment is not as expected:\n/);
      expect(output).toContain(`  HOST=${host}: `);
      expect(output).toMatch(text);
      expect([code, existsSync(dataDir), processesOf(dataDir)]).toEqual([1, false, []]);
      const option = await run(program, { ...env, HOST: '127.0.0.1' }, '--host', host);
      expect(option).toMatchObject({ code: 2, output: expect.stringContaining(`  --host ${host}: `) });
    },
  );

  it('says of a PORT that is taken what to do', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void taken.close());
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const { code, output, dataDir } = await run(
      program,
      { ...env, HOST: 'localhost' },
      '--port',
      String(port),
    );
    expect(output).toMatch(
      /LISTEN_FAILED: expected to listen on port \d+ of localhost, got that another program/,
    );
    expect(output).toMatch(/set PORT to a free one\n$/);
    expect([code, processesOf(dataDir)]).toEqual([1, []]);
  });
});

describe('worker', () => {
  it('has no use for a HOST that conda has set', async () => {
    const gpu = { ...redis, REQUIRE_GPU: 'true', HOST: 'x86_64-conda-linux-gnu' };
    expect((await run('worker', gpu)).output).toMatch(/^GPU_REQUIRED: /);
  });
});
