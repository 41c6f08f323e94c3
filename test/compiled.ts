/** Tests import `src`; where `dist` is up to date, they get the compiled modules, and so do the processes that those fork. */
import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vitest/config';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = join(root, 'src') + sep;

/** Saves compiling each source once a test file, and tsx in each process that a test starts. */
export function useCompiled(): Plugin {
  return {
    name: 'trainyard:compiled',
    enforce: 'pre',
    resolveId(id, importer) {
      if (!importer || !id.startsWith('.') || !/\.m?ts$|\.mjs$/.test(id)) return null;
      const source = resolve(dirname(importer), id);
      if (!source.startsWith(sources)) return null;
      const compiled = join(root, 'dist', relative(sources, source)).replace(/ts$/, 'js');
      return existsSync(compiled) ? compiled : null;
    },
  };
}
