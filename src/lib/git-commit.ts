/** The commit that this program is at, for the provenance of its models. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const packageRoot = join(import.meta.dirname, '../..');

/**
 * The commit that `root` has checked out; null where `root` is no checkout, or git is missing or refuses. Git is told
 * which repository to read, since by itself it would take GIT_DIR, or any repository further up.
 */
export function readGitCommit(root = packageRoot): string | null {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')));
  try {
    const options = { cwd: root, env, encoding: 'utf8', timeout: 2000, stdio: 'pipe' } as const;
    return execFileSync('git', ['--git-dir=.git', 'rev-parse', '--verify', 'HEAD'], options).trim();
  } catch {
    return null;
  }
}
