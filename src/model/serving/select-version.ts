/** Which version reads an image: the champion, a share of the traffic, an alias, or the version that a request names. */
import { champion } from '../registry/names.ts';
import type { ModelServing, Serving } from './follow-registry.ts';

/** What a request asks for; without anything, the champion of the default model. */
export type Selector = {
  readonly model?: string;
  readonly alias?: string;
  readonly version?: number;
  readonly minVersion?: number; // of the champion
};

export type Selected = {
  readonly ok: true;
  readonly version: number;
  readonly alias: string | null; // null: the request named the version
  readonly isPinned: boolean;
};

export type NotSelected = {
  readonly ok: false;
  readonly code: 'NO_MODEL' | 'MODEL_UNKNOWN' | 'ALIAS_NOT_FOUND' | 'MIN_VERSION_NOT_SERVED';
  readonly message: string;
};

const usualModel = 'mnist';

/** `random`: 0 … 1, decides between the shares of the traffic. */
export function selectVersion(serving: Serving, selector: Selector, random: number): Selected | NotSelected {
  const { version, alias, minVersion } = selector;
  if (version !== undefined) return { ok: true, version, alias: null, isPinned: true };
  const model = selectModel(serving, selector.model);
  if ('ok' in model) return model;
  const { name, aliases } = model;
  const wanted = alias ?? (minVersion === undefined ? shareOf(model, random) : champion);
  const selected = aliases[wanted];
  if (selected === undefined) return wanted === champion ? noModel : aliasNotFound(name, wanted, aliases);
  if (minVersion !== undefined && selected < minVersion)
    return minVersionNotServed(name, wanted, selected, minVersion);
  return { ok: true, version: selected, alias: wanted, isPinned: alias !== undefined && alias !== champion };
}

/** The model that answers unless a request names one: `mnist`, or the only one; null where that is not clear. */
export function defaultModel(serving: Serving): string | null {
  if (serving[usualModel]) return usualModel;
  const names = Object.keys(serving);
  return names.length === 1 ? names[0]! : null;
}

function selectModel(
  serving: Serving,
  wanted: string | undefined,
): (ModelServing & { readonly name: string }) | NotSelected {
  const names = Object.keys(serving);
  if (names.length === 0 && wanted === undefined) return noModel;
  const name = wanted ?? defaultModel(serving);
  const found = name === null ? undefined : serving[name];
  if (found) return { ...found, name: name! };
  const expected = `expected model to be one of ${names.join(', ') || 'the models in GET /registry (there is none yet)'}`;
  const message =
    wanted === undefined ? `${expected}; got none, and there are several` : `${expected}, got ${wanted}`;
  return { ok: false, code: 'MODEL_UNKNOWN', message };
}

/** An alias by its share of the traffic. A share of an alias that has gone falls to the champion. */
function shareOf({ traffic, aliases }: ModelServing, random: number): string {
  let rest = 100 * random;
  for (const [alias, percent] of Object.entries(traffic ?? {})) {
    rest -= percent;
    if (rest < 0) return alias in aliases ? alias : champion;
  }
  return champion;
}

export const noModel: NotSelected = {
  ok: false,
  code: 'NO_MODEL',
  message:
    'expected a trained model, none is served yet; GET /health/ready says whether one is being loaded or trained, POST /jobs/train trains one',
};

function aliasNotFound(model: string, alias: string, aliases: ModelServing['aliases']): NotSelected {
  const known = Object.keys(aliases).join(', ');
  return {
    ok: false,
    code: 'ALIAS_NOT_FOUND',
    message: `expected an alias of ${model} (${known}), got ${alias}; PUT /registry/${model}/aliases/${alias} creates one`,
  };
}

function minVersionNotServed(model: string, alias: string, version: number, wanted: number): NotSelected {
  return {
    ok: false,
    code: 'MIN_VERSION_NOT_SERVED',
    message: `expected the ${alias} of ${model} to be version ${wanted} or a newer one within 5 s, it is ${version}; GET /registry/${model}/history says what was decided`,
  };
}
