/** One answer: its probabilities as bars, and in words for screen readers. */
import { useEffect, useState } from 'preact/hooks';
import type { Prediction } from '../../../src/client/index.ts';
import { percent } from '../ui/format.ts';
import type { Reading } from './reader.ts';
import { sureness } from './verdict.ts';

const digits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const quietMs = 700; // before a screen reader is told the answer

export function predictionIn(now: Reading): Prediction | null {
  return now.state === 'read' ? now.prediction : null;
}

export function Bars({ prediction }: { prediction: Prediction | null }) {
  return (
    <ol class="bars" aria-label="Probability of each digit">
      {digits.map((digit) => {
        const share = prediction?.probabilities[digit];
        return (
          <li key={digit} data-best={String(digit) === prediction?.label}>
            <span class="bars-digit">{digit}</span>
            <span class="bars-track" aria-hidden="true">
              <span style={{ '--share': String(share ?? 0) }} />
            </span>
            <span class="bars-share">{share === undefined ? '–' : percent(share)}</span>
          </li>
        );
      })}
    </ol>
  );
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
