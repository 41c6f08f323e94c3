/** The compiled program in dist/. */
import { createHash } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './packages.mjs';
import { runOrFail } from './step.mjs';

/** Compiles src/ to dist/ unless dist/ was compiled from these very files. */
export async function buildProgram(progress) {
  const wanted = await fingerprint();
  const stamp = join(root, 'dist', '.trainyard-source');
  if ((await readFile(stamp, 'utf8').catch(() => null)) === wanted) return 'compiled before';
  progress('tsc');
  const next = join(root, 'dist.next'); // beside, so that a failed build leaves the old one
  await rm(next, { recursive: true, force: true });
  const compiler = join(root, 'node_modules', '.bin', 'tsc');
  await runOrFail('npm run build', compiler, ['-p', 'tsconfig.build.json', '--outDir', next], { cwd: root });
  await writeFile(join(next, '.trainyard-source'), wanted);
  await rm(join(root, 'dist'), { recursive: true, force: true });
  await rename(next, join(root, 'dist'));
  return 'compiled to dist/';
}

/** A hash over names, sizes and times of all that the compiler reads. */
async function fingerprint() {
  const entries = await readdir(join(root, 'src'), { recursive: true, withFileTypes: true });
  const sources = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const settings = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'].map((name) =>
    join(root, name),
  );
  const hash = createHash('sha256');
  for (const path of [...sources.toSorted(), ...settings]) {
    const { size, mtimeMs } = await stat(path);
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}
