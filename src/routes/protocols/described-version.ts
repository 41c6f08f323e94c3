/** Finds the version that a path of a protocol names, and describes it. */
import { startOfText } from '../../lib/start-of-text.ts';
import { aliasName } from '../../model/registry/names.ts';
import type { Predictor } from '../../model/serving/predictor.ts';
import { type Selector, selectVersion } from '../../model/serving/select-version.ts';
import { modelOf, readingOf } from '../../model/store/manifest.ts';
import type { ModelStore } from '../../model/store/store.ts';
import { HttpProblem } from '../http/problem.ts';
import { expectPrediction } from '../prediction-outcome.ts';
import { explainNotLoadable } from '../unusable-version.ts';

export type DescribedVersion = {
  readonly model: string;
  readonly version: number;
  readonly labels: readonly string[];
};

export type Serving = Pick<Predictor, 'serving' | 'unserved'>;

export type Describe = (selector: Selector) => Promise<DescribedVersion>;

/** A version by its number, or by the name of an alias. @throws HttpProblem 404 for what is neither */
export function selectorOf({ model, version }: { model: string; version?: string | undefined }): Selector {
  if (version === undefined) return { model };
  if (/^[1-9]\d{0,14}$/.test(version)) return { model, version: Number(version) };
  if (aliasName.safeParse(version).success) return { model, alias: version };
  const detail = `expected the number of a version, or an alias of ${startOfText(model, 80)}, got ${startOfText(version, 80)}`;
  throw new HttpProblem({ status: 404, code: 'MODEL_NOT_FOUND', detail });
}

/**
 * Returns a function that describes a version. It throws HttpProblem where the version does not exist, and 503 while no
 * model answers, as an inference would.
 */
export function createDescribe(predictor: Serving, store: Pick<ModelStore, 'manifest'>): Describe {
  return async (selector) => {
    const unserved = predictor.unserved();
    if (unserved) return expectPrediction<never>(unserved, 0, 1) as never;
    const selected = selectVersion(predictor.serving(), selector, 0);
    if (!selected.ok) return expectPrediction<never>(selected, 0, 1) as never;
    const { version } = selected;
    const manifest = await store.manifest(version).catch(explainNotLoadable);
    const model = manifest && modelOf(manifest);
    if (!manifest || model !== selector.model) throw versionMissing(version, selector.model!);
    return { model, version, labels: readingOf(manifest).labels };
  };
}

/** The versions that aliases of a model point to, newest first. @throws HttpProblem 404 where there is no such model */
export function aliasedVersions(predictor: Pick<Predictor, 'serving'>, model: string): number[] {
  const selected = selectVersion(predictor.serving(), { model }, 0);
  if (!selected.ok && selected.code === 'MODEL_UNKNOWN') expectPrediction(selected, 0, 1);
  const versions = Object.values(predictor.serving()[model]?.aliases ?? {});
  return [...new Set(versions)].toSorted((a, b) => b - a);
}

function versionMissing(version: number, model: string): HttpProblem {
  const detail = `expected a version in GET /models?model=${model}, got ${version}`;
  return new HttpProblem({ status: 404, code: 'MODEL_NOT_FOUND', detail });
}
