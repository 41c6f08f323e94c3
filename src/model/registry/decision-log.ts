/**
 * The log of decisions about one model: DATA_DIR/registry/MODEL/NUMBER/decision.json. A decision is created under the
 * next free number by renaming a directory, which fails when the number is taken: two writers never share a number,
 * a reader never sees half a decision, and a writer that is killed leaves the log as it was or with one whole decision more.
 */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createDirectory, removeStale } from '../../lib/create-directory.ts';
import { messageOf, TrainyardError } from '../../lib/errors.ts';
import { isCode } from '../../lib/files.ts';
import { openSealed, seal } from '../../lib/sealed-json.ts';
import { type Decision, decisionSchema } from './decision.ts';

const kept = 1000; // decisions; older ones are deleted
const fileName = 'decision.json';

/**
 * Appends a decision. Returns false when another writer has taken its number, or had taken it so long ago that it is
 * deleted by now: read again and decide anew.
 *
 * @throws TrainyardError `REGISTRY_NOT_WRITABLE`, or the system's error where the disk is full
 */
export async function appendDecision(directory: string, decision: Decision): Promise<boolean> {
  const files = { [fileName]: seal(decision).bytes };
  const isFirst = await createDirectory(directory, String(decision.number), files).catch(
    notWritable(directory),
  );
  if (!isFirst) return false;
  const [newest = 0] = await listDecisions(directory);
  if (newest >= decision.number + kept) {
    await rm(join(directory, String(decision.number)), { recursive: true, force: true });
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
  await removeStale(directory);
  for (const name of await readdir(directory)) {
    if (Number(name) <= newest - kept) await rm(join(directory, name), { recursive: true, force: true });
  }
}
