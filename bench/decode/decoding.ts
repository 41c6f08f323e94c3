/**
 * Decodes the picture in a file as the predictor does, so many times, a few at a time, and prints the milliseconds of each
 * and how much memory the process took at most, as one line of JSON.
 */
import { readFile, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { startDecodePool } from '../../src/model/serving/decode-pool.ts';

export type Decoding = {
  readonly outcome: string; // 'read', or the code of what is wrong
  readonly cpuMs: readonly number[]; // of all threads meanwhile
  readonly ms: readonly number[];
  readonly growth: number | null; // MB; null where the system doesn't say
};

const [path, times, atATime] = process.argv.slice(2);
const bytes = await readFile(path!);
const decode = startDecodePool();
await Promise.all(Array.from({ length: 8 }, async () => decode(await small()))); // warms every thread up
const before = await memory('VmRSS');
await writeFile('/proc/self/clear_refs', '5').catch(() => {}); // the peak counts from here
const ms: number[] = [];
const cpuMs: number[] = [];
let outcome = '';
const decodeOne = async () => {
  const startedAt = performance.now();
  const usage = process.cpuUsage();
  const digit = await decode(Buffer.from(bytes));
  const { user, system } = process.cpuUsage(usage);
  cpuMs.push((user + system) / 1000);
  ms.push(performance.now() - startedAt);
  outcome = digit!.ok ? 'read' : digit!.code;
};
const decodeInTurn = async () => {
  for (let i = 0; i < Number(times) / Number(atATime); i++) await decodeOne();
};
await Promise.all(Array.from({ length: Number(atATime) }, decodeInTurn));
const peak = await memory('VmHWM');
const growth = before === null || peak === null ? null : peak - before;
console.log(JSON.stringify({ outcome, cpuMs, ms, growth } satisfies Decoding));
process.exit(0); // the threads of the pool would live on

/** A picture that goes through a thread and sharp. */
function small(): Promise<Buffer> {
  return sharp({ create: { width: 300, height: 300, channels: 3, background: 'white' } })
    .jpeg()
    .toBuffer();
}

async function memory(what: 'VmRSS' | 'VmHWM'): Promise<number | null> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const kibibytes = new RegExp(`${what}:\\s+(\\d+)`).exec(status)?.[1];
  return kibibytes === undefined ? null : (Number(kibibytes) * 1024) / 1e6;
}
