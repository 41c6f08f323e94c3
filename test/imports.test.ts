import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, it } from 'vitest';

const dist = new URL('../dist/', import.meta.url);

const tfjs = new URL('model/tfjs.js', dist).href; // loads the package itself

/** The shortest chain of files by which `entry` statically imports tfjs; null when it does not. */
function chainToTfjs(entry: string): string[] | null {
  const importers = new Map<string, string | null>([[new URL(entry, dist).href, null]]);
  for (const [file] of importers) {
    for (const { fileName } of ts.preProcessFile(readFileSync(new URL(file), 'utf8')).importedFiles) {
      const imported = fileName.startsWith('.') ? new URL(fileName, file).href : null;
      if (imported === tfjs || fileName.startsWith('@tensorflow/'))
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
  expect(chainToTfjs(`${entry}.js`)).toBeNull();
});

it('names the files between an entry and tfjs', () => {
  expect(chainToTfjs('jobs/worker/trainer-process.js')?.[0]).toBe('jobs/worker/trainer-process.js');
  expect(chainToTfjs('jobs/worker/trainer-process.js')?.at(-1)).toMatch(/\/tfjs\.js$/);
});
