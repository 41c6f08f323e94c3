/** The commit that this program runs from, for the provenance of models. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const packageRoot = join(import.meta.dirname, '../..');

/**
 * The commit checked out at `root`; null if `root` is no checkout, or git is missing or refuses. Git is told which
 * repository to read: otherwise it would use GIT_DIR or any repository in a parent directory.
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
