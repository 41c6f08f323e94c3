/** The confusion matrix: rows are labels, columns predictions. */
import type { Evaluation } from '../../../src/client/index.ts';
import { count } from '../ui/format.ts';
import { widthOf } from '../ui/labels.ts';
import { type Choice, ConfusionRow, type Matrix, type Pair } from './confusion-row.tsx';
import { labelsOf } from './labels.ts';
import { useArrowKeys } from './use-arrow-keys.ts';

export type { Pair } from './confusion-row.tsx';

type Props = {
  evaluation: Evaluation;
  pair?: Pair | null;
  choose?: Choice['choose']; // without it no cell can be chosen
};

const mostInView = 12; // labels whose matrix is as wide as its place; more are scrolled
const shortHead = 2; // columns of a digit's width; longer labels are written upwards over their columns

export function Confusion({ evaluation, pair = null, choose }: Props) {
  const labels = labelsOf(evaluation);
  const { confusion, images, accuracy } = evaluation;
  if (confusion === null) return <TooMany labels={labels.length} />;
  const wrong = images - Math.round(accuracy * images);
  return (
    <>
      <p class="quiet small">
        {count(wrong)} of {count(images)} test images misread. Rows: what is shown; columns: what it was read
        as.{choose && ' Choose a number to see which.'}
      </p>
      <div
        class="table-scroll confusion-scroll"
        role="region"
        aria-label="Confusion matrix"
        {...((labels.length > mostInView || !choose) && { tabIndex: 0 })} // else its buttons take the focus
      >
        <Table matrix={{ confusion, labels }} choice={{ pair, choose }} />
      </div>
    </>
  );
}

/** Above a hundred labels the evaluation has no matrix. */
function TooMany({ labels }: { labels: number }) {
  return <p class="quiet small">{labels} labels are too many for a readable matrix.</p>;
}

function Table({ matrix, choice }: { matrix: Matrix; choice: Choice }) {
  const { confusion, labels } = matrix;
  const longest = Math.max(...labels.map(widthOf));
  const size = labels.length > mostInView ? 'is-large' : '';
  const mostWrong = Math.max(
    1,
    ...confusion.map((row, label) => Math.max(...row.map((images, digit) => (digit === label ? 0 : images)))),
  );
  const { stop, onKeyDown, onFocusIn } = useArrowKeys(confusion);
  return (
    <table
      class={`confusion ${size} ${longest > shortHead ? 'has-long-labels' : ''}`}
      style={{ '--columns': String(longest) }}
    >
      <caption class="unseen">Rows: what the image shows. Columns: what was read.</caption>
      <thead>
        <tr>
          <td class="corner">
            <span>shown</span>
            <span>read as</span>
          </td>
          {labels.map((label) => (
            <th key={label} scope="col" title={label}>
              <bdi>{label}</bdi>
            </th>
          ))}
          <th scope="col" class="recall">
            right
          </th>
        </tr>
      </thead>
      <tbody onKeyDown={onKeyDown} onFocusIn={onFocusIn}>
        {labels.map((name, label) => (
          <ConfusionRow
            key={name}
            {...{ matrix, label, mostWrong, choice }}
            stop={stop[0] === label ? stop[1] : null}
          />
        ))}
      </tbody>
    </table>
  );
}
