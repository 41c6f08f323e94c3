/** A line of characters: the button that asks for it, the text, and the boxes over the drawing. */
import { useStore } from '../app-context.ts';
import { percent } from '../ui/format.ts';
import { sentence } from '../ui/sentence.ts';
import { createChosenModel } from './chosen-model.ts';
import { createLineReader } from './line-reader.ts';

export function LineReader() {
  const { isWanted, reading } = useStore(createLineReader);
  const { subject } = useStore(createChosenModel);
  return (
    <div class="line-reader">
      <button
        type="button"
        class="button second-button"
        aria-pressed={isWanted.value}
        onClick={() => (isWanted.value = !isWanted.value)}
      >
        Read as a line{subject.value === 'digit' && ' of digits'}
      </button>
      {isWanted.value && (
        <p class="line-text" role="status">
          <LineText now={reading.value} />
        </p>
      )}
    </div>
  );
}

type Now = ReturnType<typeof createLineReader>['reading']['value'];

function LineText({ now }: { now: Now }) {
  if (now.state === 'problem') return <>{sentence(now.problem.detail)}</>;
  if (now.state !== 'read') return <>No answer yet</>;
  const { text, characters, verdict } = now.prediction;
  const least = Math.min(...characters.map(({ confidence }) => confidence));
  return (
    <>
      <strong>{text}</strong>{' '}
      <span class="quiet">
        {verdict === 'known' ? 'each' : `${verdict} in places,`} at least {percent(least)} sure
      </span>
    </>
  );
}

/** As the drawing area shows the picture: whole, in the middle. */
export function LineBoxes() {
  const { reading } = useStore(createLineReader);
  const now = reading.value;
  if (now.state !== 'read') return null;
  const { characters, width, height } = now.prediction;
  return (
    <svg class="line-boxes" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {characters.map(({ box, verdict }, i) => (
        <rect key={i} {...box} data-verdict={verdict} />
      ))}
    </svg>
  );
}
