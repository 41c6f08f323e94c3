import { describe, expect, it } from 'vitest';
import type { JobEvent } from '../../src/client/index.ts';
import { resolveRequest, trainRequestSchema } from '../../src/jobs/contract.ts';
import { showTraining } from '../../src/launcher/follow-first-model.ts';
import { describeBuiltIn } from '../../src/model/data/built-in.ts';
import { collector, progress } from '../cli/output.ts';

const at = '2026-01-01T00:00:00.000Z';
const engine = { name: 'wasm', device: 'CPU', gpu: false, fallback: null };
const started: JobEvent = { type: 'started', at, engine, attempt: 1, resumedFromStep: null };
const step: JobEvent = { type: 'progress', at, ...progress };
const done: JobEvent = { type: 'done', at, status: 'succeeded', modelVersion: 1, error: null };
const job = { request: resolveRequest(trainRequestSchema.parse({}), describeBuiltIn('mnist')) };

async function* eventsOf(...events: JobEvent[]): AsyncGenerator<JobEvent> {
  yield* events;
}

describe('showTraining', () => {
  it('redraws one line on a terminal and never wraps', async () => {
    const output = collector({ isTTY: true, columns: 40 });
    await showTraining(job, eventsOf(started, step, step, done), output);
    const lines = output.written.filter((text) => text.startsWith('\r'));
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line.replace('\r\u001B[K', '').length).toBeLessThan(40);
    expect(output.written.at(-1)).toBe('\n');
  });

  it('writes plain lines in a pipe, at least the first and the last', async () => {
    const output = collector();
    await showTraining(job, eventsOf(started, step, step, { ...step, step: 629 }, done), output);
    expect(output.written[0]).toBe('training mnist, recipe "default", on CPU\n');
    expect(output.written.slice(1)).toHaveLength(2); // the second progress came too soon for a line
    expect(output.written.join('')).not.toContain('\u001B');
  });

  it('names the device once, though the job starts again', async () => {
    const output = collector();
    await showTraining(job, eventsOf(started, { ...started, attempt: 2 }, done), output);
    expect(output.written).toEqual(['training mnist, recipe "default", on CPU\n']);
  });

  it('leaves the newest progress standing when the events end in an error', async () => {
    const output = collector();
    async function* broken(): AsyncGenerator<JobEvent> {
      yield step;
      yield { type: 'progress', at, ...progress, step: 629 };
      throw new Error('enough');
    }
    await expect(showTraining(job, broken(), output)).rejects.toThrow('enough');
    expect(output.written.at(-1)).toContain('step 629/1876');
  });
});
