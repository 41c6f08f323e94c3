/**
 * The log of decisions about one model: DATA_DIR/registry/MODEL/NUMBER/decision.json. A decision is created under the
 * next free number by renaming a directory, which fails when the number is taken: two writers never share a number,
 * a reader never sees half a decision, and a writer that is killed leaves the log as it was or with one whole decision more.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, TrainyardError } from '../../lib/errors.ts';
import { isCode, syncDirectory, writeDurably } from '../../lib/files.ts';
import { openSealed, seal } from '../../lib/sealed-json.ts';
import { type Decision, decisionSchema } from './decision.ts';

const kept = 1000; // decisions; older ones are deleted
const stagingPrefix = '.staging-';
const staleAfterMs = 60 * 60 * 1000; // the writer of a staging directory this old is gone
const fileName = 'decision.json';

/**
 * Appends a decision. Returns false when another writer has taken its number, or had taken it so long ago that it is
 * deleted by now: read again and decide anew.
 *
 * @throws TrainyardError `REGISTRY_NOT_WRITABLE`, or the system's error where the disk is full
 */
export async function appendDecision(directory: string, decision: Decision): Promise<boolean> {
  const staging = join(directory, `${stagingPrefix}${randomUUID()}`);
  const place = join(directory, String(decision.number));
  await mkdir(staging, { recursive: true }).catch(notWritable(directory));
  try {
    await writeDurably(join(staging, fileName), seal(decision).bytes);
    await syncDirectory(staging);
    await rename(staging, place);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    if (isCode(error, 'ENOTEMPTY', 'EEXIST')) return false;
    return notWritable(directory)(error);
  }
  await syncDirectory(directory);
  const [newest = 0] = await listDecisions(directory);
  if (newest >= decision.number + kept) {
    await rm(place, { recursive: true, force: true });
    return false;
  }
  await removeOld(directory, decision.number).catch(() => {}); // the next writer tries again
  return true;
}

function notWritable(directory: string) {
  return (error: unknown): never => {
    if (!isCode(error, 'EACCES', 'EPERM', 'EROFS')) throw error;
    const message = `expected to write the decision to ${directory}, got: ${messageOf(error)}; correct its owner or mode`;
    throw new TrainyardError('REGISTRY_NOT_WRITABLE', message, { cause: error });
  };
}

/** The numbers of all decisions, newest first; none where there is no log. */
export async function listDecisions(directory: string): Promise<number[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  });
  return names
    .filter((name) => /^[1-9][0-9]{0,14}$/.test(name))
    .map(Number)
    .toSorted((a, b) => b - a);
}

/**
 * Reads and checks one decision; null where it has been deleted.
 *
 * @throws TrainyardError `DECISION_DAMAGED` or `DECISION_UNSUPPORTED` (another program's form)
 */
export async function readDecision(directory: string, number: number): Promise<Decision | null> {
  const path = join(directory, String(number), fileName);
  const bytes = await readFile(path).catch((error: unknown) => {
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw new TrainyardError('DECISION_UNREADABLE', `${path}: expected to read it, got: ${messageOf(error)}`);
  });
  if (!bytes) return null;
  const opened = openSealed(bytes);
  if (!opened.ok) throw new TrainyardError('DECISION_DAMAGED', `${path}: ${opened.reason}`);
  const parsed = decisionSchema.safeParse(opened.content);
  if (parsed.success) return parsed.data;
  const message = `${path}: expected a form that this program knows, got another; an earlier program can't read a later one's`;
  throw new TrainyardError('DECISION_UNSUPPORTED', message);
}

async function removeOld(directory: string, newest: number): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const isOld = Number(name) <= newest - kept;
    if (isOld || (name.startsWith(stagingPrefix) && (await isStale(path))))
      await rm(path, { recursive: true, force: true });
  }
}

async function isStale(path: string): Promise<boolean> {
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() })); // another writer has removed it
  return Date.now() - mtimeMs > staleAfterMs;
}
