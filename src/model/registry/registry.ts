/**
 * The registry: which version of each model answers, and why. Its state is in the newest decision of a model's log
 * (decision-log.ts). Any number of processes can read and write it at once, without locks.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../lib/errors.ts';
import { isCode } from '../../lib/files.ts';
import type { Decision, RegistryState } from './decision.ts';
import { appendDecision, listDecisions, readDecision } from './decision-log.ts';
import { modelName } from './names.ts';
import { type Draft, decisionOf } from './transitions.ts';

export type Registry = {
  /** The names of all models about which something was decided, in alphabetical order. */
  models(): Promise<string[]>;
  /** Reads the current state; null before the first decision. @throws TrainyardError `DECISION_…` when nothing can be read */
  read(model: string): Promise<RegistryState | null>;
  /** The newest `limit` decisions that can be read, newest first. */
  history(model: string, limit: number): Promise<Decision[]>;
  /**
   * Writes a decision. `plan` gets the state before it, and is called again whenever another writer was faster.
   * Returns the decision, or what `plan` returned in place of one.
   */
  decide<Refusal = never>(model: string, plan: Plan<Refusal>): Promise<Decision | Refusal>;
};

type Plan<Refusal> = (
  state: RegistryState | null,
) => Promise<{ readonly write: Draft } | { readonly instead: Refusal }>;

/** Told once of each decision that was passed over because it is damaged; the one before it counts. */
type OnDamaged = (damaged: {
  readonly model: string;
  readonly number: number;
  readonly reason: string;
}) => void;

export function openRegistry(dataDir: string, onDamaged: OnDamaged = () => {}): Registry {
  const root = join(dataDir, 'registry');
  const known = new Map<string, Newest>(); // by model; a decision never changes
  const readNewest = async (model: string): Promise<Newest> => {
    const numbers = await listDecisions(directoryOf(model));
    const before = known.get(model);
    if (before && before.number === numbers[0]) return before;
    const newest = await findNewest(directoryOf(model), numbers, (number, reason) =>
      onDamaged({ model, number, reason }),
    );
    known.set(model, newest);
    return newest;
  };
  const directoryOf = (model: string) => join(root, modelName.parse(model));
  return {
    models: async () => {
      const names = await listNames(root);
      // A writer that was killed leaves a directory without a decision.
      const decided = await Promise.all(
        names.map((name) =>
          readNewest(name).then(
            ({ state }) => state !== null,
            () => true, // a decision is there
          ),
        ),
      );
      return names.filter((_, i) => decided[i]);
    },
    read: async (model) => (await readNewest(model)).state,
    history: (model, limit) => readHistory(directoryOf(model), limit),
    decide: async (model, plan) => {
      for (;;) {
        const { number, state } = await readNewest(model);
        const planned = await plan(state);
        if ('instead' in planned) return planned.instead;
        const decision = decisionOf(model, number + 1, state, planned.write);
        if (await appendDecision(directoryOf(model), decision)) return decision;
      }
    },
  };
}

async function listNames(root: string): Promise<string[]> {
  const names = await readdir(root).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  });
  return names.filter((name) => modelName.safeParse(name).success).toSorted();
}

type Newest = { readonly number: number; readonly state: RegistryState | null };

/** The newest readable decision gives the state; the next decision takes the number after the highest one. */
async function findNewest(
  directory: string,
  numbers: readonly number[],
  onDamaged: (number: number, reason: string) => void,
): Promise<Newest> {
  const damaged: [number, string][] = [];
  let failure: unknown = null;
  for (const number of numbers) {
    try {
      const decision = await readDecision(directory, number);
      if (!decision) continue;
      for (const [passedOver, reason] of damaged) onDamaged(passedOver, reason);
      return { number: numbers[0]!, state: decision.state };
    } catch (error) {
      if (!isCode(error, 'DECISION_DAMAGED')) throw error;
      failure ??= error;
      damaged.push([number, messageOf(error)]);
    }
  }
  if (failure) throw failure;
  return { number: numbers[0] ?? 0, state: null };
}

async function readHistory(directory: string, limit: number): Promise<Decision[]> {
  const decisions: Decision[] = [];
  for (const number of await listDecisions(directory)) {
    if (decisions.length === limit) break;
    const decision = await readDecision(directory, number).catch((error: unknown) => {
      if (isCode(error, 'DECISION_DAMAGED', 'DECISION_UNREADABLE', 'DECISION_UNSUPPORTED')) return null;
      throw error;
    });
    if (decision) decisions.push(decision);
  }
  return decisions;
}
