import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  claimWorkspace,
  removeWorkspace,
  workspaceDirectory,
  workspaces,
} from '../../../src/model/training/workspace.ts';
import { temporaryDirectory } from '../../temporary.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await temporaryDirectory();
});

const claim = (attempt: number) => claimWorkspace(dataDir, 'job', attempt);
const attempts = async () => (await readdir(workspaceDirectory(dataDir, 'job'))).toSorted();

describe('a claim', () => {
  it('gives a staging directory of its own beside the resume points', async () => {
    const { directory, staging } = await claim(1);
    expect(directory).toBe(workspaceDirectory(dataDir, 'job'));
    await writeFile(join(staging, 'a'), '');
    await rename(join(staging, 'a'), join(directory, 'a'));
    expect(await attempts()).toEqual(['a', 'attempt-1']);
  });

  it('takes the staging directory of an earlier attempt away, so that nothing of it gets in place', async () => {
    const first = await claim(1);
    await writeFile(join(first.staging, 'late'), '');
    await claim(3);
    expect(await attempts()).toEqual(['attempt-3']);
    const late = rename(join(first.staging, 'late'), join(first.directory, 'late'));
    await expect(late).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(mkdir(join(first.staging, 'again'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.each([1, 2])('of attempt %d is refused after attempt 2', async (attempt) => {
    await claim(2);
    await expect(claim(attempt)).rejects.toMatchObject({
      code: 'FENCED',
      message: expect.stringMatching(/to be the newest, found attempt 2; this one ends/),
    });
    expect(await attempts()).toEqual(['attempt-2']);
  });

  it('leaves one attempt at the most able to write, however many start together', async () => {
    for (let round = 0; round < 20; round++) {
      const job = `race-${round}`;
      const claims = await Promise.allSettled([1, 2, 3, 4].map((n) => claimWorkspace(dataDir, job, n)));
      const winners = await Promise.allSettled(
        claims
          .filter((result) => result.status === 'fulfilled')
          .map(({ value: { staging } }) => mkdir(join(staging, 'work'))),
      );
      expect(winners.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(claims[3]!.status).toBe('fulfilled'); // the newest is never refused
    }
  });
});

describe('workspaces', () => {
  it('are none before the first job', async () => {
    expect(await workspaces(dataDir)).toEqual([]);
  });

  it('are listed until they are removed, which may be done twice', async () => {
    await claim(1);
    expect(await workspaces(dataDir)).toEqual(['job']);
    await removeWorkspace(dataDir, 'job');
    await removeWorkspace(dataDir, 'job');
    expect(await workspaces(dataDir)).toEqual([]);
  });
});
