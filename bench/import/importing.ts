/** Imports an archive and prints how long it took and the memory of the process, as one line of JSON. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { importArchive } from '../../src/model/data/import/import-archive.ts';

export type Importing = {
  readonly accepted: number;
  readonly form: string;
  readonly seconds: number;
  readonly peak: number | null; // MB; null where the system doesn't say
};

const [archive, folder] = process.argv.slice(2) as [string, string];
const staging = join(folder, 'staging');
await mkdir(staging);
const startedAt = performance.now();
const outcome = await importArchive({
  archive,
  name: 'digits',
  form: 'auto',
  testShare: 0.2,
  seed: 1,
  dataDir: folder,
  staging,
});
const seconds = (performance.now() - startedAt) / 1000;
if (!outcome.ok) throw new Error(outcome.message);
const { form, report } = outcome.manifest;
const kibibytes = /VmHWM:\s+(\d+)/u.exec(await readFile('/proc/self/status', 'utf8').catch(() => ''))?.[1];
const peak = kibibytes === undefined ? null : (Number(kibibytes) * 1024) / 1e6;
console.log(JSON.stringify({ accepted: report.accepted, form, seconds, peak } satisfies Importing));
