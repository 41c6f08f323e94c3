/** What a network's logits say about a picture: the label, how sure that is, and whether it is one of the labels at all. */
import { areDigits } from '../data/labels.ts';
import type { Warning } from '../image/warnings.ts';
import { type Calibration, scoreOf } from '../training/calibration.ts';
import { indexOfMaximum, logSumExp } from '../training/softmax.ts';

/** `unsure`: probably one of the labels, but look at it yourself; `unknown`: none of them. */
export const verdicts = ['known', 'unsure', 'unknown'] as const;
export type Verdict = (typeof verdicts)[number];

export type Answer = {
  readonly label: string;
  readonly digit?: number; // where the labels are 0 … 9
  readonly confidence: number; // 0 … 1
  readonly probabilities: number[]; // in the order of the labels, sums to 1
  readonly verdict: Verdict;
  readonly score: number | null; // 0 … 1, how likely it is one of the labels; null: the version can't tell
  readonly calibrated: boolean; // whether the confidence was fitted to be right as often as it says
  readonly warnings: Warning[];
};

const sureFrom = 0.9; // confidence

/** What a version can answer, and how sure it is of it. */
export type Reader = {
  readonly labels: readonly string[];
  readonly calibration: Calibration | null; // null: the version was trained without
};

/** logits [labels] → an answer. */
export function answerFrom(
  logits: Float32Array,
  { labels, calibration }: Reader,
  warnings: readonly Warning[],
): Answer {
  const temperature = calibration?.temperature ?? 1;
  const total = logSumExp(logits, 0, logits.length, temperature);
  const probabilities = Array.from(logits, (logit) => Math.min(1, Math.exp(logit / temperature - total)));
  const best = indexOfMaximum(probabilities, 0, probabilities.length);
  const confidence = probabilities[best]!;
  const threshold = calibration?.threshold ?? null;
  const score = threshold === null ? null : scoreOf(logits);
  const isUnknown = threshold !== null && score! < threshold;
  const isSure = calibration === null || confidence >= sureFrom;
  const verdict: Verdict = isUnknown ? 'unknown' : isSure && !showsSeveral(warnings) ? 'known' : 'unsure';
  const sure = { confidence, probabilities, verdict, score, calibrated: calibration !== null };
  const digit = areDigits(labels) ? { digit: best } : {};
  return { label: labels[best]!, ...digit, ...sure, warnings: [...warnings] };
}

function showsSeveral(warnings: readonly Warning[]): boolean {
  return warnings.some(({ code }) => code === 'SEVERAL_SHAPES');
}
