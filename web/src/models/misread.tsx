/** The misread test images, most confident answers first. */
import { useState } from 'preact/hooks';
import type { Evaluation } from '../../../src/client/index.ts';
import { percent } from '../ui/format.ts';
import type { Pair } from './confusion.tsx';
import { TestImage } from './test-image.tsx';

type Image = Evaluation['misread'][number];
type Props = { misread: readonly Image[]; labels: readonly string[]; pair: Pair | null; showAll: () => void };

const firstShown = 24;

export function Misread({ misread, labels, pair, showAll }: Props) {
  const [isWhole, setWhole] = useState(false);
  const matching = pair
    ? misread.filter(({ label, digit }) => label === pair.label && digit === pair.digit)
    : misread;
  const shown = isWhole || pair ? matching : matching.slice(0, firstShown);
  return (
    <>
      <p class="quiet small misread-note" role="status">
        {pair ? (
          <>
            {labels[pair.label]} read as {labels[pair.digit]}.{' '}
            {matching.length === 0 && 'None is among those that the evaluation kept, the 100 surest. '}
            <button type="button" class="link" onClick={showAll}>
              Show all
            </button>
          </>
        ) : (
          'The surest wrong answers first. Choose one to have it read again.'
        )}
      </p>
      <ul class="misread">
        {shown.map((image) => (
          <MisreadImage key={image.index} image={image} labels={labels} />
        ))}
      </ul>
      {shown.length < matching.length && (
        <button type="button" class="button" onClick={() => setWhole(true)}>
          Show {matching.length - shown.length} more
        </button>
      )}
    </>
  );
}

type MisreadProps = { image: Image; labels: readonly string[] };

function MisreadImage({ image: { index, label, digit, confidence }, labels }: MisreadProps) {
  return (
    <li>
      <a href={`#draw/test/${index}`} title={`Test image ${index}`}>
        <TestImage index={index} />
        <span class="misread-word">
          <span class="unseen">Test image {index}: </span>
          {labels[label]} <span aria-hidden="true">→</span>
          <span class="unseen">read as</span> <strong>{labels[digit]}</strong>
        </span>
        <span class="quiet">
          {percent(confidence, 0)} <span class="unseen">sure</span>
        </span>
      </a>
    </li>
  );
}
