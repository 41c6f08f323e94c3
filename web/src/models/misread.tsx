/** The misread test images, most confident answers first. */
import { useState } from 'preact/hooks';
import type { Evaluation, Model } from '../../../src/client/index.ts';
import { testImageHash } from '../route.ts';
import { percent } from '../ui/format.ts';
import type { Pair } from './confusion.tsx';
import { TestImage } from './test-image.tsx';

type Image = Evaluation['misread'][number];
type Props = {
  model: Model; // that misread them
  misread: readonly Image[];
  labels: readonly string[];
  pair: Pair | null;
  showAll: () => void;
};

const firstShown = 24;

export function Misread({ model, misread, labels, pair, showAll }: Props) {
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
          <MisreadImage key={image.index} {...{ image, labels, model }} />
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

type MisreadProps = Pick<Props, 'labels' | 'model'> & { image: Image };

function MisreadImage({ image, labels, model }: MisreadProps) {
  const { index, label, digit, confidence } = image;
  const dataset = model.dataset.name;
  return (
    <li>
      <a
        href={testImageHash(model.model, dataset, index)}
        title={`Test image ${index}: ${labels[label]} read as ${labels[digit]}`}
      >
        <TestImage dataset={dataset} index={index} />
        <span class="misread-word">
          <span class="unseen">Test image {index}: </span>
          <bdi>{labels[label]}</bdi> <span aria-hidden="true">→</span>
          <span class="unseen">read as</span>{' '}
          <strong>
            <bdi>{labels[digit]}</bdi>
          </strong>
        </span>
        <span class="quiet">
          {percent(confidence, 0)} <span class="unseen">sure</span>
        </span>
      </a>
    </li>
  );
}
