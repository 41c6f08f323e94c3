import { describe, expect, it } from 'vitest';
import { resolveRequest, type TrainJob, trainRequestSchema } from '../../src/jobs/contract.ts';
import { showTraining } from '../../src/launcher/progress.ts';
import { collector, progress } from '../cli/output.ts';

function jobWith(change: Partial<TrainJob>): TrainJob {
  const request = resolveRequest(trainRequestSchema.parse({}));
  const engine = { name: 'wasm', device: 'CPU', gpu: false, fallback: null };
  const times = { createdAt: '', startedAt: null, finishedAt: null };
  const counts = { queuePosition: null, attempt: 1, resumedFromStep: null, modelVersion: null };
  const job = { id: 'a', status: 'running', request, progress, epochs: [], engine, error: null } as const;
  return { ...job, ...counts, ...times, epochs: [], ...change };
}

/** A job as it is read, one state after the other. */
function states(...jobs: TrainJob[]): () => Promise<TrainJob> {
  let next = 0;
  return async () => jobs[Math.min(next++, jobs.length - 1)]!;
}

const never = new AbortController().signal;

describe('showTraining', () => {
  it('redraws one line on a terminal and never wraps', async () => {
    const output = collector({ isTTY: true, columns: 40 });
    await showTraining(
      states(jobWith({}), jobWith({ finishedAt: 'now', status: 'succeeded' })),
      output,
      never,
    );
    const lines = output.written.filter((text) => text.startsWith('\r'));
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line.replace('\r\u001B[K', '').length).toBeLessThan(40);
    expect(output.written.at(-1)).toBe('\n');
  });

  it('writes plain lines in a pipe, the first and the last at least', async () => {
    const output = collector();
    await showTraining(states(jobWith({}), jobWith({}), jobWith({ finishedAt: 'now' })), output, never);
    expect(output.written[0]).toBe('training mnist, recipe "default", on CPU\n');
    expect(output.written.slice(1)).toHaveLength(2); // the second look came too soon for a line
    expect(output.written.join('')).not.toContain('\u001B');
  });

  it('gives back the job as it ended', async () => {
    const ended = jobWith({ status: 'failed', finishedAt: 'now', error: { code: 'X', message: 'y' } });
    expect(await showTraining(states(ended), collector(), never)).toBe(ended);
  });

  it('stops when it is told to', async () => {
    const stop = new AbortController();
    const shown = showTraining(states(jobWith({})), collector(), stop.signal);
    stop.abort();
    await expect(shown).rejects.toMatchObject({ name: 'AbortError' });
  });
});
