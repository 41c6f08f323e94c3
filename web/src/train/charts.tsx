/** Loss per step and test accuracy per epoch: of the open job and of those compared with it. */
import { useMemo } from 'preact/hooks';
import type { Job } from '../../../src/client/index.ts';
import { useStore } from '../app-context.ts';
import { loss, percent, shortId } from '../ui/format.ts';
import { Chart } from './chart.tsx';
import { type Curve, emptyCurve, smooth } from './curve.ts';
import { createCurves } from './curves.ts';
import { createComparison } from './jobs.ts';
import type { Line } from './readout.ts';

type Shown = { readonly job: Job; readonly curve: Curve; readonly series: number };

export function Charts({ job, others }: { job: Job | undefined; others: readonly Job[] }) {
  const curves = useStore(createCurves).byId;
  const compared = useStore(createComparison).ids;
  const shown = [...others, ...(job ? [job] : [])].map((each) => ({
    job: each,
    curve: curves.value[each.id] ?? { ...emptyCurve, epochs: each.epochs },
    series: each === job ? 1 : compared.value.indexOf(each.id) + 2,
  }));
  const inputs = shown.flatMap(({ job: { id }, curve, series }) => [id, curve.points, curve.epochs, series]);
  const key = useIdentity(inputs);
  const lossLines = useMemo(() => shown.flatMap(lossLinesOf), [key]);
  const accuracyLines = useMemo(() => shown.map(accuracyLineOf), [key]);
  return (
    <div class="charts">
      <Chart
        title="Loss per step"
        lines={lossLines}
        xName="step"
        yRange={lossRange}
        format={(value, step) => value.toFixed(step < 0.01 ? 4 : 2)}
        summary={summaryOf(shown, lossSummary)}
      />
      <Chart
        title="Test accuracy per epoch"
        lines={accuracyLines}
        isCounted
        xName="epoch"
        format={(value, step) => percent(value, step < 0.001 ? 2 : step < 0.01 ? 1 : 0)}
        yRange={accuracyRange}
        summary={summaryOf(shown, accuracySummary)}
      />
    </div>
  );
}

/** A value that changes when one of the inputs does, however many there are. */
function useIdentity(inputs: readonly unknown[]): object {
  const before = useMemo<{ inputs: readonly unknown[]; key: object }>(() => ({ inputs: [], key: {} }), []);
  const isSame =
    inputs.length === before.inputs.length && inputs.every((input, index) => input === before.inputs[index]);
  if (!isSame) Object.assign(before, { inputs, key: {} });
  return before.key;
}

/** The loss of each step as a faint line, its running mean as a strong one. */
function lossLinesOf({ job, curve: { points }, series }: Shown): Line[] {
  const steps = points.map(({ step }) => step);
  const losses = points.map((point) => point.loss);
  return [
    { label: '', series, isFaint: true, x: steps, y: losses },
    { label: shortId(job.id), series, x: steps, y: smooth(losses) },
  ];
}

function accuracyLineOf({ job, curve: { epochs }, series }: Shown): Line {
  return {
    label: shortId(job.id),
    series,
    x: epochs.map(({ epoch }) => epoch),
    y: epochs.map(({ testAccuracy }) => testAccuracy),
  };
}

/** The range of the losses with a margin. It has a height: for a range of none, uPlot computes marks without end. */
function lossRange(min: number, max: number): [number, number] {
  const margin = Math.max(0.01, 0.05 * (max - min));
  return [Math.max(0, min - margin), max + margin];
}

/** The range of the accuracies with a margin, at most 1. */
function accuracyRange(min: number, max: number): [number, number] {
  const margin = Math.max(0.002, 0.15 * (max - min));
  return [Math.max(0, min - margin), Math.min(1, max + margin)];
}

function summaryOf(shown: readonly Shown[], one: (shown: Shown) => string): string {
  return shown.map(one).join('; ') || 'nothing yet';
}

function lossSummary({ job, curve: { points } }: Shown): string {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return `job ${shortId(job.id)}: no steps yet`;
  return `job ${shortId(job.id)}: from ${loss(first.loss)} at step ${first.step} to ${loss(last.loss)} at step ${last.step}`;
}

function accuracySummary({ job, curve: { epochs } }: Shown): string {
  const last = epochs.at(-1);
  if (!last) return `job ${shortId(job.id)}: no epoch yet`;
  return `job ${shortId(job.id)}: ${percent(last.testAccuracy, 2)} after epoch ${last.epoch}`;
}
