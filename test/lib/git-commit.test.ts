/** Real repositories, as checkouts come: alone, as a worktree, as a submodule, unpacked within another one. */
import { execFileSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { readGitCommit } from '../../src/lib/git-commit.ts';
import { temporaryDirectory } from '../temporary.ts';

const git = (cwd: string, ...args: string[]) => {
  const identity = [
    '-c',
    'user.name=a',
    '-c',
    'user.email=a@example.org',
    '-c',
    'protocol.file.allow=always',
  ];
  const { GIT_DIR: _, ...env } = process.env;
  return execFileSync('git', [...identity, ...args], { cwd, env, encoding: 'utf8', stdio: 'pipe' }).trim();
};

async function createRepository(directory: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  git(directory, 'init', '-q');
  git(directory, 'commit', '-q', '--allow-empty', '-m', directory);
  return git(directory, 'rev-parse', 'HEAD');
}

let outer: string;
let outerCommit: string;
beforeEach(async () => {
  outer = join(await temporaryDirectory(), 'outer');
  outerCommit = await createRepository(outer);
});

describe('the commit of a checkout', () => {
  it('is its own, also within another repository', async () => {
    expect(readGitCommit(outer)).toBe(outerCommit);
    const inner = join(outer, 'inner');
    expect(readGitCommit(inner)).toBeNull(); // it is not even there
    expect(await createRepository(inner)).toBe(readGitCommit(inner));
  });

  it('is that of a worktree and of a submodule, whose .git is a file', async () => {
    const worktree = join(outer, '..', 'worktree');
    git(outer, 'worktree', 'add', '-q', worktree);
    git(worktree, 'commit', '-q', '--allow-empty', '-m', 'on');
    expect(readGitCommit(worktree)).toBe(git(worktree, 'rev-parse', 'HEAD'));
    expect(readGitCommit(worktree)).not.toBe(outerCommit);
    const other = join(outer, '..', 'other');
    const commit = await createRepository(other);
    git(outer, 'submodule', '--quiet', 'add', other, 'module');
    expect(readGitCommit(join(outer, 'module'))).toBe(commit);
  });

  it.each(['GIT_DIR', 'GIT_COMMON_DIR', 'GIT_WORK_TREE', 'GIT_CEILING_DIRECTORIES', 'GIT_NAMESPACE'])(
    'does not depend on %s',
    async (name) => {
      const other = join(outer, '..', 'other');
      await createRepository(other);
      vi.stubEnv(name, name.endsWith('DIR') ? join(other, '.git') : other);
      try {
        expect(readGitCommit(outer)).toBe(outerCommit);
        await mkdir(join(outer, 'unpacked'));
        expect(readGitCommit(join(outer, 'unpacked'))).toBeNull();
      } finally {
        vi.unstubAllEnvs();
      }
    },
  );
});

describe('the commit of what is no checkout', () => {
  it.each(['unpacked', 'node_modules/trainyard'])(
    'is null, also within another repository: %s',
    async (name) => {
      const root = join(outer, name);
      await mkdir(root, { recursive: true });
      expect(readGitCommit(root)).toBeNull();
    },
  );

  it('is null where .git is damaged, and before the first commit', async () => {
    const damaged = join(outer, 'damaged');
    await mkdir(join(damaged, '.git'), { recursive: true });
    expect(readGitCommit(damaged)).toBeNull();
    const lost = join(outer, 'lost');
    await mkdir(lost);
    await writeFile(join(lost, '.git'), 'gitdir: /nowhere\n');
    expect(readGitCommit(lost)).toBeNull();
    const unborn = join(outer, 'unborn');
    await mkdir(unborn);
    git(unborn, 'init', '-q');
    expect(readGitCommit(unborn)).toBeNull();
  });

  it('is null where there is no git', () => {
    vi.stubEnv('PATH', '/nowhere');
    try {
      expect(readGitCommit(outer)).toBeNull();
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it("is its own or null where the checkout is another user's, never that of another one", async ({
    skip,
  }) => {
    if (process.getuid!() !== 0) {
      console.log('only root can give a checkout to another user: not tried');
      skip();
    }
    const copy = join(outer, 'copy');
    await cp(join(outer, '.git'), join(copy, '.git'), { recursive: true });
    for (const path of [copy, join(copy, '.git')]) chownSync(path, 65_534, 65_534);
    expect([outerCommit, null]).toContain(readGitCommit(copy));
  });
});
