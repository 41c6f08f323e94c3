/** What Linux says of processes that a bench has started. */
import { readdir, readFile } from 'node:fs/promises';

export type Memory = { readonly rssMegabytes: number; readonly pssMegabytes: number };

/** The processes under `root` whose command line has the text. */
export async function descendants(root: number, text: string): Promise<number[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    const stat = /^\d+$/.test(name) && (await readOrNull(`/proc/${name}/stat`));
    if (stat) parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const isUnder = (pid: number): boolean => pid === root || (parents.has(pid) && isUnder(parents.get(pid)!));
  const found: number[] = [];
  for (const pid of parents.keys()) {
    const command = isUnder(pid) && (await readOrNull(`/proc/${pid}/cmdline`));
    if (command && command.includes(text)) found.push(pid);
  }
  return found;
}

/** PSS shares what several processes map (libraries) among them; RSS counts it for each. */
export async function memoryOf(pids: readonly number[]): Promise<Memory> {
  let [rss, pss] = [0, 0];
  for (const pid of pids) {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
    rss += Number(/^Rss:\s+(\d+)/m.exec(rollup)![1]);
    pss += Number(/^Pss:\s+(\d+)/m.exec(rollup)![1]);
  }
  const inMegabytes = (kibibytes: number) => (kibibytes * 1024) / 1e6;
  return { rssMegabytes: inMegabytes(rss), pssMegabytes: inMegabytes(pss) };
}

async function readOrNull(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null); // the process has ended meanwhile
}
