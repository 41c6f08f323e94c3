import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { endChild, forkBeside } from '../../src/model/child-process.ts';

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
