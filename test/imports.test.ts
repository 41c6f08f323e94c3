import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, it } from 'vitest';

const dist = new URL('../dist/', import.meta.url);

const tfjs = 'model/tfjs.js'; // loads the package itself
const letters = 'model/data/outliers/glyphs.js'; // loads the package of letters

/** The shortest chain of files by which `entry` statically imports a module; null when it does not. */
function chainOf(entry: string, module: string): string[] | null {
  const wanted = new URL(module, dist).href;
  const importers = new Map<string, string | null>([[new URL(entry, dist).href, null]]);
  for (const [file] of importers) {
    for (const { fileName } of ts.preProcessFile(readFileSync(new URL(file), 'utf8')).importedFiles) {
      const imported = fileName.startsWith('.') ? new URL(fileName, file).href : null;
      if (imported === wanted || (module === tfjs && fileName.startsWith('@tensorflow/')))
        return [...chainTo(file, importers), fileName];
      if (imported !== null && !importers.has(imported)) importers.set(imported, file);
    }
  }
  return null;
}

function chainTo(file: string | null, importers: ReadonlyMap<string, string | null>): string[] {
  if (file === null) return [];
  const name = relative(fileURLToPath(dist), fileURLToPath(file));
  return [...chainTo(importers.get(file)!, importers), name];
}

// tfjs takes 40 MB; only the trainer, the predictor and the device examiner compute.
it.each(['start', 'server', 'worker', 'cli', 'doctor'])('%s loads no tfjs', (entry) => {
  expect(chainOf(`${entry}.js`, tfjs)).toBeNull();
});

it('the predictor loads no letters, which only training draws', () => {
  expect(chainOf('model/serving/predictor-process.js', letters)).toBeNull();
  expect(chainOf('jobs/worker/trainer-process.js', letters)?.at(-1)).toMatch(/\/glyphs\.js$/);
});

it('names the files between an entry and tfjs', () => {
  const chain = chainOf('jobs/worker/trainer-process.js', tfjs);
  expect(chain?.[0]).toBe('jobs/worker/trainer-process.js');
  expect(chain?.at(-1)).toMatch(/\/tfjs\.js$/);
});
