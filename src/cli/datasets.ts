/** `trainyard datasets`: what there is to learn from, and new archives of it. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import {
  answerOf,
  type Dataset,
  datasetNameOf,
  expectDone,
  importDataset,
  type NumberedImportEvent,
  watchImport,
} from '../client/index.ts';
import { barOf, openLineDisplay, type ProgressDisplay } from '../lib/progress-line.ts';
import { type CommandContext, writeJson, writeLine } from './context.ts';
import { type Column, table } from './table.ts';
import { interrupted, sayConnection } from './watch.ts';

const listedFiles = 20; // of each kind

export async function listDatasets(context: CommandContext): Promise<number> {
  const { data } = await answerOf(context.client.GET('/datasets'));
  if (context.json) writeJson(context, data);
  else writeLine(context.stdout, table(columns, data));
  return 0;
}

const columns: Column<Dataset>[] = [
  { head: 'DATASET', cell: ({ name }) => name },
  { head: 'STATUS', cell: ({ status, error }) => (error === null ? status : `${status}: ${error.code}`) },
  { head: 'FORM', cell: ({ form }) => form ?? '' },
  { head: 'LABELS', right: true, cell: ({ labels }) => String(labels?.length ?? '') },
  { head: 'TRAIN', right: true, cell: ({ counts }) => String(counts?.train.count ?? '') },
  { head: 'TEST', right: true, cell: ({ counts }) => String(counts?.test.count ?? '') },
];

export async function showDataset(context: CommandContext, name: string): Promise<number> {
  const dataset = await read(context, name);
  if (context.json) writeJson(context, dataset);
  else describe(context, dataset);
  return 0;
}

export async function removeDataset(context: CommandContext, name: string): Promise<number> {
  await expectDone(context.client.DELETE('/datasets/{name}', { params: { path: { name } } }));
  if (context.json) writeJson(context, { name, removed: true });
  else writeLine(context.stdout, `data set ${name} is removed`);
  return 0;
}

type AddOptions = {
  readonly name?: string;
  readonly form?: 'auto' | 'ink' | 'picture';
  readonly testShare?: number;
  readonly seed?: number;
  readonly watch?: boolean;
};

/** @returns the exit code; with --watch 1 where the import fails */
export async function addDataset(
  context: CommandContext,
  file: string,
  { watch = false, name = datasetNameOf(basename(file)), ...options }: AddOptions,
): Promise<number> {
  const sent = await send(context, file, { name, ...options });
  if (watch) return follow(context, name);
  if (context.json) writeJson(context, sent);
  else writeLine(context.stdout, `data set ${name} is being imported\n  npx trainyard datasets show ${name}`);
  return 0;
}

async function send(
  context: CommandContext,
  file: string,
  query: { readonly name: string } & Omit<AddOptions, 'watch'>,
): Promise<Dataset> {
  const { size } = await stat(file);
  const display = openLineDisplay(context.stderr, (bytes: number) => sentLine(bytes, size));
  let bytes = 0;
  async function* counted() {
    for await (const chunk of createReadStream(file)) {
      yield chunk as Uint8Array;
      bytes += (chunk as Uint8Array).byteLength;
      if (!context.json) display.show(bytes);
    }
  }
  try {
    return await importDataset(context.client, Readable.toWeb(Readable.from(counted())) as never, query);
  } finally {
    display.finish();
  }
}

function sentLine(bytes: number, size: number): string {
  return `${barOf(size === 0 ? 1 : Math.min(1, bytes / size))}  ${megabytes(bytes)} of ${megabytes(size)} MB sent`;
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);

/** Shows an import until it has ended, and what came of it. */
async function follow(context: CommandContext, name: string): Promise<number> {
  const display = openLineDisplay(context.stdout, importLine);
  const leaving = new AbortController();
  process.once('SIGINT', () => leaving.abort());
  const onConnection = sayConnection(context, display);
  try {
    for await (const event of watchImport(context.client, name, { signal: leaving.signal, onConnection }))
      if (!context.json) show(display, event);
    display.finish();
    const dataset = await read(context, name);
    if (context.json) writeJson(context, dataset);
    else describe(context, dataset);
    return dataset.status === 'ready' ? 0 : 1;
  } catch (error) {
    display.finish();
    if (!leaving.signal.aborted) throw error;
    const commands = `"npx trainyard datasets show ${name}" shows it, "npx trainyard datasets remove ${name}" ends it`;
    writeLine(context.stderr, `the import goes on: ${commands}`);
    return interrupted;
  }
}

type ImportProgress = NonNullable<Dataset['progress']>;

function show(display: ProgressDisplay<ImportProgress>, event: NumberedImportEvent): void {
  if (event.type === 'progress') display.show(event);
  else if (event.type === 'queued') display.say('waits for a worker');
  else if (event.type === 'started' && event.attempt > 1) display.say('was cut off, begins again');
}

function importLine({ pictures, count, problems, fraction }: ImportProgress): string {
  return `${barOf(fraction)}  ${pictures} of ${count} pictures, ${problems} problems`;
}

function read({ client }: CommandContext, name: string): Promise<Dataset> {
  return answerOf(client.GET('/datasets/{name}', { params: { path: { name } } }));
}

/** The report on the standard output, and files that were refused. */
function describe({ stdout }: CommandContext, dataset: Dataset): void {
  writeLine(stdout, table(columns, [dataset]));
  if (dataset.error) writeLine(stdout, dataset.error.message);
  const { accepted = 0, duplicates = 0, problemCount = 0, notes = [] } = dataset.report ?? {};
  const { problems = [], duplicateFiles = [] } = dataset.report ?? {};
  if (dataset.report) {
    writeLine(stdout, `${accepted} pictures accepted, ${duplicates} duplicates, ${problemCount} refused`);
  }
  for (const note of notes) writeLine(stdout, note);
  const refused = problems.map(
    ({ path, code, expected, got }) => `${path}: ${code}: expected ${expected}, got ${got}`,
  );
  list(stdout, refused, problemCount, 'refused');
  const leftOut = duplicateFiles.map(({ path, sameAs }) => `${path}: duplicate of ${sameAs}`);
  list(stdout, leftOut, duplicates, 'duplicates');
}

/** The first lines. `count`: how many files there are, of which the report may have named only some. */
function list(stdout: CommandContext['stdout'], lines: readonly string[], count: number, what: string): void {
  for (const line of lines.slice(0, listedFiles)) writeLine(stdout, line);
  if (lines.length > 0 && count > listedFiles)
    writeLine(stdout, `${count - listedFiles} more ${what}: --json lists up to 1000`);
}
