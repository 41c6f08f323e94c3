/** Computes the registry's state after a decision. Pure: nothing here reads or writes. */
import { type Action, type Comparison, type Decision, noState, type RegistryState } from './decision.ts';
import { champion } from './names.ts';

const recentKept = 5;
const pathKept = 100;

/** The change that a writer asks for; `number`, `at` and `from` are set when it is written. */
export type Draft = {
  readonly action: Action;
  readonly alias: string | null;
  readonly to: number | null;
  readonly by: string;
  readonly reason: string;
  readonly comparison?: Comparison | null;
  readonly traffic?: RegistryState['traffic'];
  /** The test results of the version that becomes champion. */
  readonly tested?: Tested | null;
};

export type Tested = {
  readonly set: string;
  readonly images: number;
  readonly accuracy: number;
};

export function decisionOf(
  model: string,
  number: number,
  before: RegistryState | null,
  draft: Draft,
): Decision {
  const { action, alias, to, by, reason, comparison = null } = draft;
  const state = before ?? noState;
  const from = alias === null ? null : (state.aliases[alias]?.version ?? null);
  const at = new Date().toISOString();
  const after = changesNothing(draft) ? state : { ...next(state, draft, at), revision: number };
  return { format: 1, number, model, at, action, alias, from, to, by, reason, comparison, state: after };
}

const changesNothing = ({ action }: Draft) => action === 'kept' || action === 'held';

function next(state: RegistryState, draft: Draft, since: string): RegistryState {
  const { action, alias, to, by, reason } = draft;
  if (action === 'traffic') return { ...state, traffic: draft.traffic ?? null };
  const { [alias!]: _, ...others } = state.aliases;
  if (to === null) return { ...state, aliases: others, traffic: withoutAlias(state.traffic, alias!) };
  const aliases = { ...others, [alias!]: { version: to, since, by, reason } };
  if (alias !== champion) return { ...state, aliases };
  return { ...state, aliases, ...championsAfter(state, draft, to) };
}

function championsAfter(state: RegistryState, draft: Draft, version: number) {
  const isBack = draft.action === 'rolledBack' || draft.action === 'replaced';
  return {
    path: isBack ? pathBack(state.path, version) : pathOn(state.path, version),
    recent: [version, ...state.recent.filter((other) => other !== version)].slice(0, recentKept),
    best: bestAfter(state.best, version, draft),
  };
}

const pathOn = (path: readonly number[], version: number) =>
  path[0] === version ? [...path] : [version, ...path].slice(0, pathKept);

function pathBack([, ...before]: readonly number[], version: number): number[] {
  const index = before.indexOf(version);
  return index === -1 ? [version, ...before] : before.slice(index);
}

/**
 * A new champion is the best one if it reads more of the same images right, if it is the first, or if it was tested on
 * more images. A comparison on fewer images than the best one was tested on changes nothing. A comparison with another
 * version than the best one means that the best one is lost: the better of the two compared takes its place.
 */
function bestAfter(best: RegistryState['best'], version: number, { tested, comparison }: Draft) {
  if (!tested) return best;
  const { set, images, accuracy } = tested;
  const known = best[set];
  if (known && comparison) {
    if (comparison.images < known.images) return best;
    const { accuracy: mine, accuracyAgainst, against } = comparison;
    const better =
      mine > accuracyAgainst ? { version, accuracy: mine } : { version: against, accuracy: accuracyAgainst };
    return { ...best, [set]: { ...better, images: comparison.images } };
  }
  const isBetter = !known || images > known.images || (images === known.images && accuracy > known.accuracy);
  return isBetter ? { ...best, [set]: { version, images, accuracy } } : best;
}

/** The champion gets the share of an alias that is removed. */
function withoutAlias(traffic: RegistryState['traffic'], alias: string): RegistryState['traffic'] {
  if (traffic?.[alias] === undefined) return traffic;
  const { [alias]: share = 0, ...others } = traffic;
  const rest = { ...others, [champion]: (others[champion] ?? 0) + share };
  return Object.keys(rest).length === 1 ? null : rest;
}
