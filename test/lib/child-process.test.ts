import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { endChild, forkBeside } from '../../src/lib/child-process.ts';
import { temporaryDirectory } from '../temporary.ts';

const { execPath } = process;
afterEach(() => {
  process.execPath = execPath;
});

describe('a child that can not be started', () => {
  it('exits by the name of the error, once, and ends at once when it is told to', async () => {
    process.execPath = '/nowhere/node';
    const child = forkBeside(import.meta.url, 'provenance');
    const exits: unknown[][] = [];
    child.on('exit', (...how) => exits.push(how));
    await once(child, 'exit');
    await endChild(child, 'SIGTERM', 1000);
    await new Promise(setImmediate);
    expect(exits).toEqual([[null, 'ENOENT']]);
  });
});

describe('a child whose parent ends while it is loading', () => {
  it.each([
    ['predictor', '../../dist/model/serving/predictor.js', 'predictor-process'],
    ['examiner', '../../dist/model/device/examine-device.js', 'examine-device-process'],
    ['trainer', '../../dist/jobs/worker/worker.js', 'trainer-process'],
    ['server', '../../dist/app.js', 'server'],
    ['worker', '../../dist/app.js', 'worker'],
  ])('ends as well: the %s', async (_, beside, name) => {
    const env = { REDIS_URL: 'redis://127.0.0.1:9', DATA_DIR: await temporaryDirectory(), PORT: '0' };
    const module = new URL(beside, import.meta.url);
    expect(existsSync(new URL(`${name}.js`, module))).toBe(true);
    const child = forkBeside(module.href, name, { env: { ...env, ENGINE: 'wasm' } });
    onTestFinished(() => endChild(child, 'SIGKILL', 0));
    child.disconnect(); // what a child sees of its parent's end
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
    expect(signal).toBeNull();
  });
});
