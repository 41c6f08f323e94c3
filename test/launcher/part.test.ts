/** Restarts of a part, with processes that are none. */
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startPart } from '../../src/launcher/part.ts';

const forked: EventEmitter[] = [];
function fork(): ChildProcess {
  const child = Object.assign(new EventEmitter(), { exitCode: 0 });
  forked.push(child);
  return child as unknown as ChildProcess;
}

const told: string[] = [];
beforeEach(() => {
  forked.length = told.length = 0;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => told.push(String(text)) > 0);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function startReady() {
  const part = startPart('worker', {}, fork);
  forked[0]!.emit('message', { type: 'ready' });
  await part.ready;
  return part;
}

it('tells once that a part ends again and again, and waits longer each time', async () => {
  await startReady();
  const waits = [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
  for (const [index, wait] of waits.entries()) {
    forked.at(-1)!.emit('exit', 1, null);
    vi.advanceTimersByTime(wait - 1);
    expect(forked).toHaveLength(index + 1);
    vi.advanceTimersByTime(1);
    expect(forked).toHaveLength(index + 2);
  }
  expect(told).toEqual(['the worker ended (exit code 1); starting it again\n']);
  forked.at(-1)!.emit('exit', null, 'SIGKILL');
  expect(told).toHaveLength(2);
});

it('tells it again, and restarts the part soon, once it was ready between', async () => {
  await startReady();
  for (const _ of [1, 2, 3]) {
    forked.at(-1)!.emit('exit', 1, null);
    vi.advanceTimersByTime(1000);
    forked.at(-1)!.emit('message', { type: 'ready' });
  }
  expect(forked).toHaveLength(4);
  expect(told).toHaveLength(3);
});

it('restarts no part that was stopped', async () => {
  const part = await startReady();
  forked[0]!.emit('exit', 1, null);
  await part.stop();
  vi.advanceTimersByTime(60_000);
  expect(forked).toHaveLength(1);
});
