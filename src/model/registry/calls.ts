/**
 * What callers may change: where aliases point, and how traffic is shared. A version is loaded, checked and warmed up
 * before an alias moves to it.
 */
import { isDeepStrictEqual } from 'node:util';
import type { RegistryState } from './decision.ts';
import { champion } from './names.ts';
import type { Registry } from './registry.ts';
import type { Draft, Tested } from './transitions.ts';

export type Caller = {
  readonly by: string;
  readonly reason: string;
  /** Only if the revision is still one of these; null: whatever it is. */
  readonly ifRevision: readonly number[] | null;
  /** Only if the alias does not exist. */
  readonly ifAbsent?: boolean;
};

export type Refusal = {
  readonly ok: false;
  readonly code:
    | 'MODEL_UNKNOWN'
    | 'MODEL_NOT_FOUND'
    | 'MODEL_NOT_LOADABLE'
    | 'MODEL_NOT_LOADED_YET'
    | 'ALIAS_NOT_FOUND'
    | 'CHAMPION_NEEDED'
    | 'NO_CHAMPION_BEFORE'
    | 'ALIAS_EXISTS'
    | 'ALIAS_HAS_TRAFFIC'
    | 'REGISTRY_CHANGED' // since the revision that the caller knows
    | 'ROLLED_BACK_MEANWHILE';
  readonly message: string;
};

/** The state of the model after the call. */
export type CallResult = { readonly ok: true; readonly state: RegistryState } | Refusal;

export type CallPorts = {
  readonly registry: Registry;
  /** Has a version loaded by the process that answers; its model, or why it can't be. */
  readonly load: (version: number) => Promise<
    | { readonly ok: true; readonly model: string }
    | {
        readonly ok: false;
        readonly code: 'MODEL_NOT_FOUND' | 'MODEL_NOT_LOADABLE' | 'MODEL_NOT_LOADED_YET';
        readonly message: string;
      }
  >;
  readonly testedOf: (version: number) => Promise<Tested | null>; // null: it can't be read
};

const passedOver: ReadonlySet<Refusal['code']> = new Set(['MODEL_NOT_FOUND', 'MODEL_NOT_LOADABLE']); // by a rollback

type Target = { readonly model: string; readonly alias: string };

export async function moveAlias(
  { model, alias }: Target,
  version: number,
  caller: Caller,
  ports: CallPorts,
): Promise<CallResult> {
  const known = await ports.registry.read(model);
  if (!known) return modelUnknown(model);
  const refusal = conflictOf(model, known, caller, alias) ?? (await loadFor(model, version, ports)); // conflicts first: loading takes a while
  if (refusal) return refusal;
  const tested = await ports.testedOf(version);
  return decide(
    model,
    caller,
    ports.registry,
    (state) => {
      if (state.aliases[alias]?.version === version && isRepeated(caller))
        return { instead: { ok: true, state } };
      return { write: { action: 'moved', alias, to: version, ...said(caller), tested } };
    },
    alias,
  );
}

export function removeAlias({ model, alias }: Target, caller: Caller, ports: CallPorts): Promise<CallResult> {
  return decide(model, caller, ports.registry, (state) => {
    if (alias === champion) return { instead: championNeeded(model) };
    if (!state.aliases[alias]) return { instead: aliasNotFound(model, alias, state) };
    if (state.traffic?.[alias]) return { instead: aliasHasTraffic(model, alias, state.traffic[alias]) };
    return { write: { action: 'removed', alias, to: null, ...said(caller) } };
  });
}

/**
 * Makes the champion before the present one champion again; of several, the last that is neither gone nor damaged. One
 * that can't be loaded now is not passed over: the caller is to try again.
 */
export async function rollBack(model: string, caller: Caller, ports: CallPorts): Promise<CallResult> {
  const state = await ports.registry.read(model);
  if (!state) return modelUnknown(model);
  const conflict = conflictOf(model, state, caller);
  if (conflict) return conflict;
  const [present, ...before] = state.path;
  let refusal: Refusal | null = null;
  for (const version of before) {
    refusal = await loadFor(model, version, ports);
    if (refusal && passedOver.has(refusal.code)) continue;
    if (refusal) return refusal;
    const tested = await ports.testedOf(version);
    return decide(model, caller, ports.registry, (now) =>
      now.path[0] === present
        ? { write: { action: 'rolledBack', alias: champion, to: version, ...said(caller), tested } }
        : { instead: rolledBackMeanwhile(model, now) },
    );
  }
  return noChampionBefore(model, refusal);
}

/** @param shares per cent by alias, 100 in all */
export async function shareTraffic(
  model: string,
  shares: Readonly<Record<string, number>>,
  caller: Caller,
  ports: CallPorts,
): Promise<CallResult> {
  const state = await ports.registry.read(model);
  if (!state) return modelUnknown(model);
  const used = Object.entries(shares).filter(([, percent]) => percent > 0);
  for (const [alias] of used) {
    const version = state.aliases[alias]?.version;
    const refusal =
      version === undefined ? aliasNotFound(model, alias, state) : await loadFor(model, version, ports);
    if (refusal) return refusal;
  }
  const traffic = used.length === 1 && used[0]![0] === champion ? null : Object.fromEntries(used);
  return decide(model, caller, ports.registry, (now) => {
    const missing = used.find(([alias]) => !now.aliases[alias]);
    if (missing) return { instead: aliasNotFound(model, missing[0], now) };
    if (isDeepStrictEqual(traffic, now.traffic) && isRepeated(caller))
      return { instead: { ok: true, state: now } };
    return { write: { action: 'traffic', alias: null, to: null, ...said(caller), traffic } };
  });
}

type Planned = { readonly write: Draft } | { readonly instead: CallResult };

async function decide(
  model: string,
  caller: Caller,
  registry: Registry,
  plan: (state: RegistryState) => Planned,
  alias?: string, // that has to be absent, if the caller wants that
): Promise<CallResult> {
  const result = await registry.decide<CallResult>(model, async (state) => {
    if (!state) return { instead: modelUnknown(model) };
    const conflict = conflictOf(model, state, caller, alias);
    return conflict ? { instead: conflict } : plan(state);
  });
  return 'ok' in result ? result : { ok: true, state: result.state };
}

/** What the caller expects of the model, or of one alias, and is no longer so. */
function conflictOf(model: string, state: RegistryState, caller: Caller, alias?: string): Refusal | null {
  const { ifRevision, ifAbsent } = caller;
  if (ifRevision !== null && !ifRevision.includes(state.revision)) return changed(model, state.revision);
  const existing = alias === undefined ? undefined : state.aliases[alias];
  return ifAbsent && existing ? aliasExists(model, alias!, existing.version) : null;
}

async function loadFor(model: string, version: number, { load }: CallPorts): Promise<Refusal | null> {
  const loaded = await load(version);
  if (!loaded.ok) return loaded;
  if (loaded.model === model) return null;
  const message = `expected a version of ${model}, got ${version}, which is one of ${loaded.model}`;
  return { ok: false, code: 'MODEL_NOT_FOUND', message };
}

/** A call that asks for what is so already, and neither gives a reason nor wants to be the only one, decides nothing. */
const isRepeated = ({ reason, ifRevision }: Caller) => reason === '' && ifRevision === null;

const said = ({ by, reason }: Caller) => ({ by, reason });

export function modelUnknown(model: string): Refusal {
  const message = `expected a model in GET /registry, got "${model}"; a model appears with its first version`;
  return { ok: false, code: 'MODEL_UNKNOWN', message };
}

export function aliasNotFound(model: string, alias: string, { aliases }: RegistryState): Refusal {
  const message = `expected an alias of ${model} (${Object.keys(aliases).join(', ')}), got "${alias}"; PUT /registry/${model}/aliases/${alias} creates one`;
  return { ok: false, code: 'ALIAS_NOT_FOUND', message };
}

function championNeeded(model: string): Refusal {
  const message = `expected another alias than champion, which ${model} always has; PUT another version in its place, or roll back`;
  return { ok: false, code: 'CHAMPION_NEEDED', message };
}

function noChampionBefore(model: string, refusal: Refusal | null): Refusal {
  const why = refusal ? `: ${refusal.message}` : '';
  const message = `expected a champion of ${model} before this one, there is none${why}; PUT the version that you want as alias champion`;
  return { ok: false, code: 'NO_CHAMPION_BEFORE', message };
}

function changed(model: string, revision: number): Refusal {
  const message = `expected If-Match with the ETag of now, "${revision}"; somebody has changed ${model} meanwhile: read it again and decide anew`;
  return { ok: false, code: 'REGISTRY_CHANGED', message };
}

function aliasExists(model: string, alias: string, version: number): Refusal {
  const message = `expected no alias "${alias}" of ${model} (If-None-Match: *), it points to version ${version}; leave the header out to move it`;
  return { ok: false, code: 'ALIAS_EXISTS', message };
}

function aliasHasTraffic(model: string, alias: string, percent: number): Refusal {
  const message = `expected an alias of ${model} without a share of the traffic, "${alias}" has ${percent} %; share the traffic among other aliases first (PUT /registry/${model}/traffic)`;
  return { ok: false, code: 'ALIAS_HAS_TRAFFIC', message };
}

function rolledBackMeanwhile(model: string, { aliases }: RegistryState): Refusal {
  const message = `expected the champion of ${model} to stay until it is rolled back, somebody has made version ${aliases[champion]!.version} champion meanwhile; look at GET /registry/${model}/history and decide anew`;
  return { ok: false, code: 'ROLLED_BACK_MEANWHILE', message };
}
