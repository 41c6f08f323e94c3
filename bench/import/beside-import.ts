/** How long the API's event loop is held up, and how long answers take, while the whole service imports an archive. */
import { openAsBlob } from 'node:fs';
import { getJson, type Service, until } from '../../harness/service.ts';
import { during } from '../lib/progress.ts';
import type { Verdict } from '../lib/report.ts';
import { median } from '../lib/statistics.ts';
import { type Load, type LoadOf, open } from '../predict/load.ts';
import { type LoopDelay, loopDelayUnder, type Place, type Span } from '../predict/service.ts';

const bars = { loopMs: 20, slowdown: 2 };
const withinMs = 15 * 60_000;

export type BesideImport = {
  readonly idle: readonly Load[];
  readonly busy: readonly Load[];
  readonly imports: readonly Span[]; // from the first byte of an upload to the end of its import
  readonly loopDelay: LoopDelay; // during the imports
};

/** Idle and beside imports in turns, so many rounds. */
export async function besideImport(
  { address }: Service,
  archive: string,
  load: LoadOf,
  place: Place,
  rounds: number,
): Promise<BesideImport> {
  const [idle, busy, imports]: [Load[], Load[], Span[]] = [[], [], []];
  for (let round = 1; round <= rounds; round++) {
    const what = `round ${round} of ${rounds}`;
    idle.push(await load(`${what}, idle`, address, open));
    const loading = { hasEnded: false };
    const answering = load(`${what}, beside an import`, address, open).finally(() => {
      loading.hasEnded = true;
    });
    const [beside, spans] = await Promise.all([answering, importUntil(address, archive, loading)]);
    busy.push(beside);
    imports.push(...spans);
    const [before, meanwhile] = [idle.at(-1)!.p99, beside.p99].map((ms) => ms.toFixed(1));
    console.log(`${what}: ${open.name}: p99 ${meanwhile} ms beside an import, ${before} ms idle`);
  }
  return { idle, busy, imports, loopDelay: await loopDelayUnder(imports, place) };
}

export function verdictsBeside({ idle, busy, loopDelay }: BesideImport): Verdict[] {
  const tail = (loads: readonly Load[]) => median(loads.map(({ p99 }) => p99));
  const slowdown = tail(busy) / tail(idle);
  const { worstMs } = loopDelay;
  return [
    {
      what: 'API event loop during imports, p99 of its worst second',
      value: worstMs,
      bar: bars.loopMs,
      better: 'less',
      unit: ' ms',
    },
    {
      what: `${open.name}: p99 beside an import ÷ idle`,
      value: slowdown,
      bar: bars.slowdown,
      better: 'less',
    },
  ];
}

/** Imports the archive again and again, so that a load is beside an import to its end, however short an import is. */
async function importUntil(
  address: string,
  archive: string,
  loading: { readonly hasEnded: boolean },
): Promise<Span[]> {
  const spans: Span[] = [];
  while (!loading.hasEnded) spans.push(await importOnce(address, archive));
  return spans;
}

/** Imports the archive and deletes the data set. Throws when it is not imported whole. */
async function importOnce(address: string, archive: string): Promise<Span> {
  const url = `${address}/datasets/digits`;
  const from = Date.now();
  const headers = { 'content-type': 'application/zip' };
  const sent = await fetch(`${address}/datasets?name=digits`, {
    method: 'POST',
    headers,
    body: await openAsBlob(archive),
  });
  if (sent.status !== 202) throw new Error(`expected the archive to be taken, got ${await sent.text()}`);
  const status = async () => (await getJson<{ status: string }>(url)).status;
  const ended = until(async () => (await status()) !== 'importing', 'the import to end', withinMs);
  await during('importing beside a load', ended);
  const to = Date.now();
  if ((await status()) !== 'ready')
    throw new Error(`expected a data set, got ${await (await fetch(url)).text()}`);
  await fetch(url, { method: 'DELETE' });
  return { from, to };
}
