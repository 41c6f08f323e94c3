/** The confusion matrix: rows are labels, columns predictions. */
import type { Evaluation } from '../../../src/client/index.ts';
import { count, percent } from '../ui/format.ts';
import { heatOf } from './heat.ts';
import { labelsOf } from './labels.ts';

/** Positions in the labels: what is shown, and what was read. */
export type Pair = { readonly label: number; readonly digit: number };
type Props = {
  evaluation: Evaluation;
  pair?: Pair | null;
  choose?: (pair: Pair | null) => void; // without it no cell can be chosen
};

export function Confusion({ evaluation, pair = null, choose }: Props) {
  const { confusion, images, accuracy } = evaluation;
  const labels = labelsOf(evaluation);
  if (confusion === null) return <TooMany labels={labels.length} />;
  const mostWrong = Math.max(
    1,
    ...confusion.flatMap((row, label) => row.filter((_, digit) => digit !== label)),
  );
  const wrong = images - Math.round(accuracy * images);
  return (
    <>
      <p class="quiet small">
        {count(wrong)} of {count(images)} test images misread. Rows: what is shown; columns: what it was read
        as.{choose && ' Choose a number to see which.'}
      </p>
      <div class="table-scroll confusion-scroll">
        <table class="confusion">
          <caption class="unseen">Rows: what the image shows. Columns: what was read.</caption>
          <thead>
            <tr>
              <td class="corner">
                <span>shown</span>
                <span>read as</span>
              </td>
              {labels.map((label) => (
                <th key={label} scope="col">
                  {label}
                </th>
              ))}
              <th scope="col" class="recall">
                right
              </th>
            </tr>
          </thead>
          <tbody>
            {confusion.map((row, label) => (
              <Row key={label} {...{ row, label, labels, mostWrong, pair, choose }} />
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

/** Above a hundred labels the evaluation has no matrix. */
function TooMany({ labels }: { labels: number }) {
  return <p class="quiet small">{labels} labels are too many for a readable matrix.</p>;
}

type Chosen = { pair: Pair | null; choose: Props['choose'] };
type RowProps = Chosen & {
  row: readonly number[];
  label: number; // position in the labels
  labels: readonly string[];
  mostWrong: number;
};

function Row({ row, label, labels, mostWrong, pair, choose }: RowProps) {
  const total = row.reduce((sum, images) => sum + images, 0);
  return (
    <tr>
      <th scope="row">{labels[label]}</th>
      {row.map((images, digit) =>
        digit === label ? (
          <td key={digit} class="is-right">
            {images}
          </td>
        ) : (
          <Wrong
            key={digit}
            {...{ label, digit, labels, images, choose }}
            heat={heatOf(images, mostWrong)}
            isChosen={pair?.label === label && pair.digit === digit}
          />
        ),
      )}
      <td class="recall">{total > 0 ? percent(row[label]! / total) : '–'}</td>
    </tr>
  );
}

type WrongProps = Pair &
  Pick<Chosen, 'choose'> & { labels: readonly string[]; images: number; heat: number; isChosen: boolean };

function Wrong({ label, digit, labels, images, heat, isChosen, choose }: WrongProps) {
  if (images === 0) return <td class="is-none">0</td>;
  return (
    <td class="is-wrong" style={{ '--tint': `${Math.round(8 + 40 * heat)}%` }}>
      {choose ? (
        <button
          type="button"
          aria-pressed={isChosen}
          aria-label={`${labels[label]} read as ${labels[digit]}: ${images}`}
          onClick={() => choose(isChosen ? null : { label, digit })}
        >
          {images}
        </button>
      ) : (
        images
      )}
    </td>
  );
}
