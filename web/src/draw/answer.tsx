/** What the network reads in the drawing. All parts are there before the first answer, so that nothing moves. */
import { useEffect, useState } from 'preact/hooks';
import type { Prediction } from '../../../src/client/index.ts';
import { useStore } from '../app-context.ts';
import { milliseconds, percent } from '../ui/format.ts';
import { createDrawing, type Reading } from './drawing.ts';
import { Hint } from './hint.tsx';

const digits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const quietMs = 700; // before a screen reader is told the answer

export function Answer() {
  const now = useStore(createDrawing).reading.value;
  const prediction = now.state === 'read' ? now.prediction : null;
  return (
    <section class="answer" aria-label="What the network reads">
      <div class="answer-top">
        <figure class="answer-digit" data-known={prediction !== null}>
          <div aria-hidden="true">{prediction?.digit ?? '?'}</div>
          <figcaption aria-hidden="true">
            {prediction ? `${percent(prediction.confidence)} sure` : 'No answer yet'}
          </figcaption>
          <Spoken now={now} />
        </figure>
        <Seen input={prediction?.input ?? null} />
      </div>
      <Bars prediction={prediction} />
      <Hint now={now} />
      <Source now={now} />
    </section>
  );
}

/** The exact 28×28 pixels. */
function Seen({ input }: { input: string | null }) {
  return (
    <figure class="answer-seen">
      <div class="pixels">
        {input && (
          <img
            src={`data:image/png;base64,${input}`}
            width="28"
            height="28"
            alt="The drawing as the network saw it, 28 by 28 pixels"
          />
        )}
      </div>
      <figcaption>What the network saw, 28 × 28</figcaption>
    </figure>
  );
}

function Bars({ prediction }: { prediction: Prediction | null }) {
  return (
    <ol class="bars" aria-label="Probability of each digit">
      {digits.map((digit) => {
        const share = prediction?.probabilities[digit];
        return (
          <li key={digit} data-best={digit === prediction?.digit}>
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

/** The model that answered, and the timings. */
function Source({ now }: { now: Reading }) {
  const read = now.state === 'read' ? now : null;
  const { model, timings } = read?.prediction ?? {};
  return (
    <dl class="facts">
      <Fact name="Model">
        {model ? <a href={`#models/${model.version}`}>version {model.version}</a> : '–'}
      </Fact>
      <Fact name="Test accuracy">{model ? percent(model.testAccuracy, 2) : '–'}</Fact>
      <Fact name="After epoch">{model?.epoch ?? '–'}</Fact>
      <Fact name="Decode">{timings ? milliseconds(timings.decodeMs) : '–'}</Fact>
      <Fact name="Queue">{timings ? milliseconds(timings.queueMs) : '–'}</Fact>
      <Fact name="Infer">{timings ? milliseconds(timings.inferMs) : '–'}</Fact>
      <Fact name="Round trip">{read ? milliseconds(read.roundTripMs) : '–'}</Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The answer for screen readers, announced when the pen rests rather than after each stroke. */
function Spoken({ now }: { now: Reading }) {
  const [text, setText] = useState('');
  const next =
    now.state === 'read'
      ? `It reads ${now.prediction.digit}, ${percent(now.prediction.confidence)} sure`
      : '';
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
