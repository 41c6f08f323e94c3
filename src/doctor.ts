/** `npm run doctor`: shows what this machine trains on and, without a GPU, why and what to do. Exit status 1: unusable. */
import { readWorkerConfig } from './config.ts';
import { runEntry } from './lifecycle.ts';
import { type Device, examineDevice, requireGpu } from './model/device/examine-device.ts';

await runEntry(async () => {
  const { engine, requireGpu: isGpuRequired } = readWorkerConfig({ environment: {}, names: {} });
  const device = await examineDevice(engine);
  process.stdout.write(`${linesOf(device).join('\n')}\n`);
  if (isGpuRequired) requireGpu(device);
  process.exitCode = device.engine && device.product?.ok ? 0 : 1;
});

function linesOf(device: Device): string[] {
  return [
    ...linesOfGpus(device),
    ...linesOfEngine(device),
    ...linesOfObstacles(device),
    '',
    verdictOn(device),
  ];
}

function linesOfGpus({ nvidia, libraries, variant }: Device): string[] {
  const { driver, cuda, gpus, files } = nvidia;
  if (driver === null) return [line('–', 'NVIDIA driver', 'none')];
  const broken = libraries.filter(({ problem }) => problem !== null);
  return [
    line('✓', 'NVIDIA driver', `${driver}${cuda === null ? '' : `, up to CUDA ${cuda}`}`),
    ...gpus.map(({ name, memoryMegabytes }) => line('✓', 'GPU', `${name}, ${memoryMegabytes} MB`)),
    ...files.map(({ path, problem }) => line(problem === null ? '✓' : '✗', path, problem ?? 'can be opened')),
    ...broken.map(({ name, problem }) => line('✗', name, problem!)),
    line(
      variant === 'cpu' ? '–' : '✓',
      'CUDA libraries',
      `${libraries.length - broken.length} of ${libraries.length} open`,
    ),
  ];
}

function linesOfEngine({ engine, engineProblem, product }: Device): string[] {
  if (engine === null || product === null) return [line('✗', 'engine', engineProblem ?? 'none')];
  const { ok, largestError, ms } = product;
  const error = `off by ${largestError.toExponential(1)} of its largest value at most, ${ms.toFixed(1)} ms`;
  return [
    line('✓', 'engine', engine.device),
    line(ok ? '✓' : '✗', 'matrix product', `${ok ? 'right' : 'WRONG'}: ${error}`),
  ];
}

function linesOfObstacles({ engine, obstacles }: Device): string[] {
  if (engine?.gpu || obstacles.length === 0) return [];
  return [
    '',
    'No GPU, because',
    ...obstacles.flatMap(({ what, cure }) => [`  ${what}`, `    What to do: ${cure}`]),
  ];
}

function verdictOn({ engine, product }: Device): string {
  if (engine === null) return 'Verdict: nothing computes here.';
  if (!product?.ok) return `Verdict: ${engine.device} computes, but wrongly; do not use it.`;
  return `Verdict: training runs on ${engine.gpu ? 'the GPU' : 'the CPU'}.`;
}

function line(mark: string, what: string, found: string): string {
  return `${mark} ${what.padEnd(18)} ${found}`;
}
