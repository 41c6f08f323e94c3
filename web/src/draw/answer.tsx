/** What the network reads in the drawing. All parts are there before the first answer, so that nothing moves. */
import { useStore } from '../app-context.ts';
import { createRegistry } from '../models/registry.ts';
import { milliseconds, percent } from '../ui/format.ts';
import { Bars, BigLabel, predictionIn, Spoken } from './bars.tsx';
import { createChosenModel } from './chosen-model.ts';
import { Correct } from './correct.tsx';
import { createDrawing } from './drawing.ts';
import { Hint } from './hint.tsx';
import { LineReader } from './line.tsx';
import type { Reading } from './reader.ts';
import { createSecondReader } from './second-reader.ts';
import { TwoReaders } from './two-readers.tsx';
import { sureness } from './verdict.ts';

export function Answer() {
  const now = useStore(createDrawing).reading.value;
  const { isWanted, reading: second } = useStore(createSecondReader);
  const { subject } = useStore(createChosenModel);
  const prediction = predictionIn(now);
  return (
    <section class="answer" aria-label="What the network reads">
      <div class="answer-top">
        <figure class="answer-digit" data-known={prediction !== null && prediction.verdict !== 'unknown'}>
          <div aria-hidden="true">
            <BigLabel prediction={prediction} />
          </div>
          <figcaption aria-hidden="true">{prediction ? sureness(prediction) : 'No answer yet'}</figcaption>
          <Spoken now={now} />
        </figure>
        <Seen input={prediction?.input ?? null} />
      </div>
      {isWanted.value ? <TwoReaders first={now} /> : <Bars prediction={prediction} />}
      <button
        type="button"
        class="button second-button"
        aria-pressed={isWanted.value}
        onClick={() => (isWanted.value = !isWanted.value)}
      >
        Read by a second version, too
      </button>
      {subject.value !== 'picture' && <LineReader />}
      <Correct />
      <Hint now={now.state === 'problem' || !isWanted.value ? now : second.value} />
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

/** The model that answered, and the timings. */
function Source({ now }: { now: Reading }) {
  const read = now.state === 'read' ? now : null;
  const { model, timings } = read?.prediction ?? {};
  const isOneOfSeveral = useStore(createRegistry).models.value.length > 1;
  return (
    <dl class="facts">
      <Fact name="Model">
        {isOneOfSeveral && model && `${model.name}, `}
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
