/** The options of `npm start` and its parts, as values and as processes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';
import { readOptions } from '../src/options.mjs';
import { repository } from './setup/checkout.ts';
import { temporaryDirectory } from './temporary.ts';

describe('options', () => {
  it('set the variables of the environment', () => {
    const args = [
      '--port',
      '8080',
      '--host=::1',
      '--data-dir',
      'a b',
      '--log-level=debug',
      '--engine',
      'wasm',
    ];
    const call = readOptions('start', args, {});
    const environment = { PORT: '8080', HOST: '::1', DATA_DIR: 'a b', LOG_LEVEL: 'debug', ENGINE: 'wasm' };
    expect(call).toMatchObject({ kind: 'run', options: { environment } });
  });

  it('are not needed, and the last of two counts', () => {
    expect(readOptions('start', [], {})).toEqual({ kind: 'run', options: { environment: {}, names: {} } });
    const twice = readOptions('server', ['--port', '1', '--port=2'], {});
    expect(twice).toMatchObject({ options: { environment: { PORT: '2' } } });
  });

  it('give their values the same checks as the variables, and are named in the message', () => {
    const names = { PORT: '--port' };
    const messageOf = (call: () => unknown) => {
      try {
        call();
      } catch (error) {
        return (error as Error).message.split('\n')[1];
      }
      return null;
    };
    const variable = messageOf(() => readConfig({ PORT: 'abc' }));
    expect(variable).toMatch(/^ {2}PORT=abc: /);
    expect(messageOf(() => readConfig({ PORT: 'abc' }, names))).toBe(variable!.replace('PORT=', '--port '));
  });

  it.each([
    [['--prot', '8080'], 'unknown option --prot\n'],
    [['-p', '8080'], 'unknown option -p\n'],
    [['--api-key', 'x'], 'unknown option --api-key\n'],
    [['--no-port'], 'unknown option --no-port\n'],
    [['8080'], 'expected options only, got 8080\n'],
    [['--', '--port', '8080'], 'expected options only, got --port 8080\n'],
    [['--port'], 'expected --port N\n'],
    [['--port='], 'expected --port N\n'],
    [['--port', ''], 'expected --port N\n'],
    [['--data-dir', '--port', '1'], 'expected --data-dir PATH\n'],
  ])('%j are refused, with the list', (args, text) => {
    const call = readOptions('start', args, {});
    expect(call).toMatchObject({ kind: 'refused', text: expect.stringContaining(text) });
    expect(call).toMatchObject({ text: expect.stringMatching(/^ {2}--port N +/m) });
  });

  it('that npm took for its own are refused, with what to write', () => {
    const call = readOptions('start', [], { npm_config_data_dir: 'true' });
    const text = expect.stringContaining(
      'npm took --data-dir for an option of its own; write "--" before it',
    );
    expect(call).toMatchObject({ kind: 'refused', text });
  });

  it('of a worker are those that it has a use for', () => {
    expect(readOptions('worker', ['--port', '1'], {})).toMatchObject({ kind: 'refused' });
    expect(readOptions('worker', ['--require-gpu', 'true'], {})).toMatchObject({ kind: 'run' });
    expect(readOptions('server', ['--require-gpu', 'true'], {})).toMatchObject({ kind: 'refused' });
  });
});

it.each(['start', 'start:server', 'start:worker'])('npm run %s runs its part', async (name) => {
  const { scripts } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8'));
  expect(scripts[name]).toBe(`exec node scripts/run.mjs ${name.replace('start:', '')}`);
});

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

async function run(program: string, ...args: string[]): Promise<Ended> {
  const child = spawn(program, args, { cwd: repository, stdio: ['ignore', 'pipe', 'pipe'] });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name].on('data', (chunk) => (text[name] += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...text };
}

const programs: [string, string[]][] = [
  ['node scripts/run.mjs start', [process.execPath, 'scripts/run.mjs', 'start']],
  ['node scripts/run.mjs server', [process.execPath, 'scripts/run.mjs', 'server']],
  ['node scripts/run.mjs worker', [process.execPath, 'scripts/run.mjs', 'worker']],
  ['node dist/start.js', [process.execPath, 'dist/start.js']],
  ['node dist/server.js', [process.execPath, 'dist/server.js']],
  ['node dist/worker.js', [process.execPath, 'dist/worker.js']],
];

// npm takes longer than what it runs, so the other cases are tried with that alone.
it.each([['npm start', ['npm', 'start', '--']], ...programs] as [string, string[]][])(
  '%s refuses an unknown option with 2 and the list, before set-up',
  async (_, [program, ...args]) => {
    const { code, stdout, stderr } = await run(program!, ...args, '--prot', '8080');
    expect(stderr).toMatch(/^unknown option --prot\n\nUsage: npm [\s\S]*^ {2}--data-dir PATH /m);
    expect(stdout).not.toContain('✓');
    expect(code).toBe(2);
  },
);

describe.each(programs)('%s', (_, [program, ...args]) => {
  it('shows help and version without set-up', async () => {
    const help = await run(program!, ...args, '--help');
    expect(help.stdout).toMatch(/^Usage: npm [\s\S]*^ {2}--data-dir PATH /m);
    expect(help.stdout).not.toContain('✓');
    expect(help).toMatchObject({ code: 0, stderr: '' });
    const version = await run(program!, ...args, '--version');
    expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+$/m) });
  });

  it('refuses a value with 2, naming the option', async () => {
    const dataDir = join(await temporaryDirectory(), 'data');
    const { code, stderr } = await run(program!, ...args, '--log-level', 'loud', '--data-dir', dataDir);
    expect(stderr).toMatch(/^CONFIG_INVALID: .*\n {2}--log-level loud: /m);
    expect(existsSync(dataDir)).toBe(false);
    expect(code).toBe(2);
  });
});
