/** The doctor and the worker's start as programs, on a machine with or without a GPU. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { examineDevice } from '../../src/model/device/examine-device.ts';
import { timed } from '../jobs/until.ts';
import { temporaryDirectory } from '../temporary.ts';

type Ended = { readonly code: number; readonly output: string };

async function runProgram(name: string, env: NodeJS.ProcessEnv): Promise<Ended> {
  const path = fileURLToPath(new URL(`../../dist/${name}.js`, import.meta.url));
  const cwd = await temporaryDirectory();
  return new Promise((resolve) => {
    const options = { cwd, env: { ...process.env, ...env }, timeout: 240_000 };
    execFile(process.execPath, [path], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code);
      resolve({ code, output: stdout + stderr });
    });
  });
}

/** What a verdict rests on: a process of its own that opens the engine and computes. */
const examination = await timed(() => examineDevice('auto'));
const hasGpu = examination.value.engine!.gpu;

describe('the doctor', () => {
  it('gives a verdict, in not much more time than the examination itself takes', async () => {
    const { value, ms } = await timed(() => runProgram('doctor', { REQUIRE_GPU: '' }));
    const { code, output } = value;
    expect(output).toMatch(/✓ engine +(?:TensorFlow|WebAssembly)/);
    expect(output).toMatch(/✓ matrix product +right: off by \S+ of its largest value at most/);
    expect(output).toMatch(new RegExp(`Verdict: training runs on the ${hasGpu ? 'GPU' : 'CPU'}\\.\n$`));
    expect(code).toBe(0);
    expect(ms).toBeLessThan(3 * examination.ms);
  });

  it('is content with a CPU unless a GPU is required', async () => {
    const { code, output } = await runProgram('doctor', { ENGINE: 'wasm', REQUIRE_GPU: 'true' });
    expect(code).toBe(1);
    expect(output).toMatch(
      /No GPU, because\n {2}ENGINE=wasm computes on the CPU\n {4}What to do: unset ENGINE/,
    );
    expect(output).toContain('GPU_REQUIRED: expected a GPU, since REQUIRE_GPU=true, found WebAssembly');
  });
});

describe('the worker with REQUIRE_GPU=true', () => {
  it('ends with the reason where there is no GPU, before it looks for Redis', async () => {
    const env = { ENGINE: 'wasm', REQUIRE_GPU: 'true', REDIS_URL: 'redis://127.0.0.1:9' };
    const dataDir = join(await temporaryDirectory(), 'data');
    const { code, output } = await runProgram('worker', { ...env, DATA_DIR: dataDir });
    expect(code).toBe(1);
    expect(output).toMatch(/^GPU_REQUIRED: .*\n {2}ENGINE=wasm computes on the CPU\n {4}What to do: /m);
  });
});
