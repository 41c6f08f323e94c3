/**
 * Malformed and hostile pictures of every accepted type, sent to the real server. A failure prints the seed; FUZZ_SEED=…
 * runs it again. FAULTS=long sends 5,000 of each type instead of 100.
 */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { isLong } from '../long.ts';
import { memoryOf, predictorPid } from '../model/serving/processes.ts';
import { hostile, malformed, originals } from './pictures.ts';
import { startServer } from './server.ts';

const each = isLong ? 5000 : 100;
const together = 8; // requests at a time
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const memorySlack = 250; // MB over the level after the first of each type: what a large picture takes, and some garbage

const server = await startServer();
const predictor = predictorPid(server.process.pid)!;

let sent = 0;

/** Every second one is read as a line. */
async function statusOf(picture: Buffer): Promise<number> {
  const headers = { 'content-type': 'application/octet-stream' };
  const path = sent++ % 2 === 0 ? '/predict' : '/predict?read=line';
  const response = await fetch(new URL(path, server.address), {
    method: 'POST',
    headers,
    body: new Uint8Array(picture),
  });
  const answer = await response.text();
  if (response.status >= 500)
    throw new Error(`expected an answer below 500, got ${answer}\n${server.output().slice(-2000)}`);
  return response.status;
}

function expectUnharmed(): void {
  expect(server.process.exitCode).toBeNull();
  expect(predictorPid(server.process.pid)).toBe(predictor);
}

const formats = Object.keys(originals) as (keyof typeof originals)[];

it.each(formats)('%s: whole ones are read', async (format) => {
  for (const picture of originals[format]) expect(await statusOf(picture)).toBe(200);
});

it.each(formats)(
  `%s: ${each} malformed ones do no harm (FUZZ_SEED=${seed})`,
  async (format) => {
    const before = await memoryOf(predictor);
    const counts: Record<number, number> = {};
    const batch = fc.array(malformed(format), { minLength: together, maxLength: together });
    const send = async (pictures: Buffer[]) => {
      for (const status of await Promise.all(pictures.map(statusOf)))
        counts[status] = (counts[status] ?? 0) + 1;
    };
    await fc.assert(fc.asyncProperty(batch, send), {
      numRuns: Math.ceil(each / together),
      seed,
      endOnFailure: true,
    });
    const after = await memoryOf(predictor);
    console.log(
      `${format}: ${JSON.stringify(counts)}, predictor ${Math.round(before)} MB before, ${Math.round(after)} after`,
    );
    expectUnharmed();
    expect(after).toBeLessThan(before + memorySlack);
  },
  20 * 60_000,
);

it('hostile ones are answered, and do no harm', async () => {
  const before = await memoryOf(predictor);
  for (const [name, picture] of Object.entries(await hostile())) {
    const startedAt = performance.now();
    const status = await statusOf(picture);
    const peak = await memoryOf(predictor, 'VmHWM');
    console.log(
      `${name}: ${status} after ${Math.round(performance.now() - startedAt)} ms, peak ${Math.round(peak)} MB`,
    );
    expectUnharmed();
  }
  expect(await memoryOf(predictor)).toBeLessThan(before + memorySlack);
});
