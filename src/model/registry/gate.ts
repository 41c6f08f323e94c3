/**
 * The gate: a newly published version becomes champion unless it is significantly worse than the best version that has
 * been champion on the same test images. The gate compares with the best, not the last, so that quality can't sink step
 * by step. If the best one can't be read any longer, a recent champion takes its place; if none can be read, the recorded
 * accuracy of the best one is the bar. A version whose job goes on must read at least as many images right as the other
 * one, since a better version is about to come.
 */
import { isCode } from '../../lib/files.ts';
import { areSame, listLabels } from '../data/labels.ts';
import { type Correctness, compareCorrectness, countCorrect } from '../training/correctness.ts';
import type { Comparison, Decision, RegistryState } from './decision.ts';
import { mcNemar } from './mcnemar.ts';
import { champion } from './names.ts';
import type { Registry } from './registry.ts';
import type { Draft, Tested } from './transitions.ts';

export const promotePolicies = ['unless-worse', 'always', 'never'] as const;
export type PromotePolicy = (typeof promotePolicies)[number];

const significance = 0.01;

export type Candidate = {
  readonly model: string;
  readonly version: number;
  readonly testSet: string;
  readonly labels: readonly string[];
  readonly correctness: Correctness;
  readonly policy: PromotePolicy;
  readonly isLast: boolean; // of its job
  readonly by: string; // the writer of the decision: "job 12"
};

export type GatePorts = {
  readonly registry: Registry;
  /**
   * Tests a version on the first `images` test images; null where it can't be read any longer. Both versions are tested
   * on as many images as either one was before, so that a test on a few images can't pass for one on many.
   */
  readonly correctnessOf: (version: number, images: number) => Promise<Correctness | null>;
  /** The test results that were published with a version; null where they can't be read. */
  readonly testedOf: (version: number) => Promise<Tested | null>;
  /** Null where they can't be read. */
  readonly labelsOf: (version: number) => Promise<readonly string[] | null>;
};

/**
 * Decides whether a version becomes champion, and writes the decision. An earlier decision about the version stands.
 *
 * @param expectOwn rejects when the job belongs to another attempt by now; called just before the decision is written
 */
export async function passGate(
  candidate: Candidate,
  ports: GatePorts,
  expectOwn: () => Promise<void>,
): Promise<Decision> {
  const { registry } = ports;
  const tests = { ...ports, correctnessOf: onceEach(ports.correctnessOf) };
  return registry.decide<Decision>(candidate.model, async (state) => {
    const earlier = await findDecision(registry, candidate);
    if (earlier) return { instead: earlier };
    const write = await draftFor(candidate, state, tests);
    await expectOwn();
    return { write };
  });
}

/** Tests each version once, however often another writer is faster. */
function onceEach(correctnessOf: GatePorts['correctnessOf']): GatePorts['correctnessOf'] {
  const results = new Map<string, Promise<Correctness | null>>();
  return (version, images) => {
    const key = `${version}: ${images}`;
    const result = results.get(key) ?? correctnessOf(version, images).catch(nullIfUnreadable);
    results.set(key, result);
    return result;
  };
}

/** The decision about one version doesn't wait for another that the system can't read. */
function nullIfUnreadable(error: unknown): null {
  if (isCode(error, 'MODEL_UNREADABLE')) return null;
  throw error;
}

/** Finds the decision of an earlier attempt, or of a server that adopted the version a moment ago. */
async function findDecision(registry: Registry, { model, version }: Candidate): Promise<Decision | null> {
  const decisions = await registry.history(model, Number.POSITIVE_INFINITY);
  return decisions.find(({ alias, to }) => alias === champion && to === version) ?? null;
}

async function draftFor(candidate: Candidate, state: RegistryState | null, ports: GatePorts): Promise<Draft> {
  const { version: to, by, policy, testSet, correctness } = candidate;
  const comparison = await compare(candidate, state, ports);
  const accuracy = countCorrect(correctness) / correctness.images;
  const tested = { set: testSet, images: correctness.images, accuracy };
  const draft = { alias: champion, to, by, comparison, tested };
  if (!state?.aliases[champion])
    return { ...draft, action: 'promoted', reason: 'the first version of this model' };
  if (policy === 'never') return { ...draft, action: 'held', reason: 'the job asked for no promotion' };
  if (policy === 'always')
    return { ...draft, action: 'promoted', reason: 'the job asked for it, however good the version is' };
  const otherLabels = await explainOtherLabels(candidate, state.aliases[champion].version, ports);
  if (otherLabels) return { ...draft, action: 'kept', reason: otherLabels };
  if (!comparison) return { ...draft, ...decideByRecord(to, tested, state.best[testSet]) };
  const verdict = judge(comparison, candidate.isLast);
  const action = verdict === 'no worse than' ? 'promoted' : 'kept';
  return { ...draft, action, reason: explain(comparison, verdict) };
}

/** Whoever asks a model expects its labels: a version with others takes its place only when somebody says so. */
async function explainOtherLabels(
  { labels }: Candidate,
  current: number,
  { labelsOf }: GatePorts,
): Promise<string | null> {
  const expected = await labelsOf(current);
  if (!expected || areSame(labels, expected)) return null;
  return `its labels are not those of model ${current}, which answers: ${listLabels(labels)} in place of ${listLabels(expected)}; promote it if it is to answer`;
}

/** Decides without a comparison image by image: no champion can be read, or none was tested on these images. */
function decideByRecord(
  version: number,
  { images, accuracy }: Tested,
  best: RegistryState['best'][string] | undefined,
): Pick<Draft, 'action' | 'reason'> {
  if (!best) return { action: 'promoted', reason: 'no version before it was champion on these test images' };
  if (best.version === version)
    return { action: 'promoted', reason: 'it is the best champion on these test images' };
  const isAsGood = images >= best.images && accuracy >= best.accuracy;
  const reason =
    `model ${best.version}, the best champion on these test images, can't be compared image by image any longer; ` +
    `it read ${percent(best.accuracy)} of ${best.images} right, this one ${percent(accuracy)} of ${images}`;
  return { action: isAsGood ? 'promoted' : 'kept', reason };
}

type Verdict = 'no worse than' | 'significantly worse than' | 'its job goes on, and it is not as good as';

function judge(comparison: Comparison, isLast: boolean): Verdict {
  if (isSignificantlyWorse(comparison)) return 'significantly worse than';
  if (!isLast && comparison.onlyCandidate < comparison.onlyChampion)
    return 'its job goes on, and it is not as good as';
  return 'no worse than';
}

/** Applies McNemar's test. */
export const isSignificantlyWorse = ({ onlyCandidate, onlyChampion, p }: Comparison) =>
  onlyCandidate < onlyChampion && p < significance;

/** Null where there is nothing to compare with, or where neither the best nor another recent champion can be read. */
async function compare(
  candidate: Candidate,
  state: RegistryState | null,
  ports: GatePorts,
): Promise<Comparison | null> {
  const { version, testSet, correctness, policy } = candidate;
  const best = state?.best[testSet];
  if (!state || !best || best.version === version) return null;
  // Where the numbers decide nothing, no image is read for them: they would hold up the promotion.
  const decides = policy === 'unless-worse';
  const images = (decides ? Math.max : Math.min)(best.images, correctness.images);
  const mine = correctness.images >= images ? correctness : await ports.correctnessOf(version, images);
  const other = mine && (await ports.correctnessOf(best.version, images));
  if (other) return comparisonOf(best.version, mine, other);
  return mine && decides ? compareWithRecent(candidate, mine, state, ports) : null;
}

/** Compares with the most accurate of the recent champions that can be read. */
async function compareWithRecent(
  { version, testSet }: Candidate,
  mine: Correctness,
  { recent, best }: RegistryState,
  { correctnessOf, testedOf }: GatePorts,
): Promise<Comparison | null> {
  const known: { version: number; accuracy: number }[] = [];
  for (const other of recent) {
    if (other === version || other === best[testSet]?.version) continue;
    const tested = await testedOf(other);
    if (tested?.set === testSet) known.push({ version: other, accuracy: tested.accuracy });
  }
  for (const against of known.toSorted((a, b) => b.accuracy - a.accuracy)) {
    const other = await correctnessOf(against.version, mine.images);
    if (other) return comparisonOf(against.version, mine, other);
  }
  return null;
}

/** The numbers by which the gate decides. */
export function comparisonOf(against: number, candidate: Correctness, other: Correctness): Comparison {
  const { images, onlyFirst, onlySecond } = compareCorrectness(candidate, other);
  return {
    against,
    images,
    accuracy: countCorrect(candidate, images) / images,
    accuracyAgainst: countCorrect(other, images) / images,
    onlyCandidate: onlyFirst.length,
    onlyChampion: onlySecond.length,
    p: mcNemar(onlyFirst.length, onlySecond.length),
  };
}

function explain(comparison: Comparison, verdict: Verdict): string {
  const { against, accuracy, accuracyAgainst, onlyCandidate, onlyChampion, p } = comparison;
  const counts = `only this one reads ${onlyCandidate} of the test images right, only that one ${onlyChampion}`;
  return `${verdict} model ${against}: ${percent(accuracy)} against ${percent(accuracyAgainst)}; ${counts}, p = ${p.toPrecision(2)}`;
}

const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
