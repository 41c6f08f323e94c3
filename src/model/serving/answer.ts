/** What a network's logits say about a picture: the label, how sure that is, and whether it is one of the labels at all. */
import { classCount } from '../data/dataset.ts';
import type { Warning } from '../image/warnings.ts';
import { type Calibration, scoreOf } from '../training/calibration.ts';
import { indexOfMaximum, logSumExp } from '../training/softmax.ts';

/** `unsure`: probably one of the labels, but look at it yourself; `unknown`: none of them. */
export const verdicts = ['known', 'unsure', 'unknown'] as const;
export type Verdict = (typeof verdicts)[number];

export type Answer = {
  readonly label: string;
  readonly digit: number;
  readonly confidence: number; // 0 … 1
  readonly probabilities: number[]; // [10], in the order of the labels, sums to 1
  readonly verdict: Verdict;
  readonly score: number | null; // 0 … 1, how likely it is one of the labels; null: the version can't tell
  readonly calibrated: boolean; // whether the confidence was fitted to be right as often as it says
  readonly warnings: Warning[];
};

const sureFrom = 0.9; // confidence

/** logits [10] → an answer. `calibration`: the version's; null for one that was trained without. */
export function answerFrom(
  logits: Float32Array,
  calibration: Calibration | null,
  warnings: readonly Warning[],
): Answer {
  const temperature = calibration?.temperature ?? 1;
  const total = logSumExp(logits, 0, classCount, temperature);
  const probabilities = Array.from(logits, (logit) => Math.min(1, Math.exp(logit / temperature - total)));
  const digit = indexOfMaximum(probabilities, 0, classCount);
  const confidence = probabilities[digit]!;
  const threshold = calibration?.threshold ?? null;
  const score = threshold === null ? null : scoreOf(logits, 0);
  const isUnknown = threshold !== null && score! < threshold;
  const isSure = calibration === null || confidence >= sureFrom;
  const verdict: Verdict = isUnknown ? 'unknown' : isSure && !showsSeveral(warnings) ? 'known' : 'unsure';
  const sure = { confidence, probabilities, verdict, score, calibrated: calibration !== null };
  return { label: String(digit), digit, ...sure, warnings: [...warnings] };
}

function showsSeveral(warnings: readonly Warning[]): boolean {
  return warnings.some(({ code }) => code === 'SEVERAL_SHAPES');
}
