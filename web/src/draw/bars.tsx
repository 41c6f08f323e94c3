/** One answer: its probabilities as bars, and in words for screen readers. */
import { useEffect, useState } from 'preact/hooks';
import type { Prediction } from '../../../src/client/index.ts';
import { useStore } from '../app-context.ts';
import { percent } from '../ui/format.ts';
import { areDigits, widthOf } from '../ui/labels.ts';
import { createChosenModel } from './chosen-model.ts';
import type { Reading } from './reader.ts';
import { mostRows, rowsOf } from './rows.ts';
import { sureness } from './verdict.ts';

const quietMs = 700; // before a screen reader is told the answer
const widestLabel = 14; // columns; a longer one is cut

export function predictionIn(now: Reading): Prediction | null {
  return now.state === 'read' ? now.prediction : null;
}

export function Bars({ prediction }: { prediction: Prediction | null }) {
  const { name, labelsOf } = useStore(createChosenModel);
  const labels = labelsOf(prediction?.model.name ?? name.value);
  const columns = Math.min(widestLabel, Math.max(1, ...labels.map(widthOf)));
  return (
    <ol class="bars" aria-label={nameOf(labels)} style={{ '--columns': String(columns) }}>
      {rowsOf(prediction, labels).map(({ label, share }, i) => (
        <li key={i} data-best={label !== null && label === prediction?.label}>
          <bdi class="bars-label" title={label ?? ''}>
            {label ?? '–'}
          </bdi>
          <span class="bars-track" aria-hidden="true">
            <span style={{ '--share': String(share ?? 0) }} />
          </span>
          <span class="bars-share">{share === null ? '–' : percent(share)}</span>
        </li>
      ))}
    </ol>
  );
}

function nameOf(labels: readonly string[]): string {
  if (areDigits(labels)) return 'Probability of each digit';
  return labels.length <= mostRows ? 'Probability of each label' : 'The likeliest labels, by probability';
}

/** The answer for screen readers, announced when the pen rests rather than after each stroke. */
export function Spoken({ now, reader = 'It' }: { now: Reading; reader?: string }) {
  const [text, setText] = useState('');
  const next =
    now.state === 'read' ? `${reader} reads ${now.prediction.label}, ${sureness(now.prediction)}` : '';
  useEffect(() => {
    const timer = setTimeout(() => setText(next), quietMs);
    return () => clearTimeout(timer);
  }, [next]);
  return (
    <p class="unseen" aria-live="polite" aria-atomic="true">
      {text}
    </p>
  );
}

/** The likeliest label, as large as it fits into the room that it has. */
export function BigLabel({ prediction }: { prediction: Prediction | null }) {
  const { subject } = useStore(createChosenModel);
  const label = prediction?.label ?? '?';
  const isDigit = prediction === null ? subject.value === 'digit' : prediction.digit !== undefined;
  return (
    <bdi
      key={label} // of another size: not the same text that moves
      class="big-label"
      data-digit={isDigit}
      title={label}
      style={{ '--columns': String(widthOf(label)) }}
    >
      {label}
    </bdi>
  );
}
