/**
 * `node scripts/setup/export.mjs DIRECTORY`: copies the placed binding and its libraries, laid out as in the package,
 * for an image that has no cache directory. Headers stay behind.
 */
import { cpSync, realpathSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { packageDirectory } from './binding.mjs';

const [target] = process.argv.slice(2);
if (!target) throw new Error('expected a directory to copy to, got none');
const source = packageDirectory(resolve(import.meta.dirname, '../..'));
const copy = { recursive: true, verbatimSymlinks: true };
cpSync(join(source, 'lib'), join(target, 'lib'), copy);
cpSync(realpathSync(join(source, 'deps')), join(target, 'deps'), copy);
rmSync(join(target, 'deps/include'), { recursive: true, force: true });
