/** The confusion matrix: rows are labels, columns predictions. */
import type { Evaluation } from '../../../src/client/index.ts';
import { count, percent } from '../ui/format.ts';
import { heatOf } from './heat.ts';

export type Pair = { readonly label: number; readonly digit: number };
type Props = {
  evaluation: Evaluation;
  pair?: Pair | null;
  choose?: (pair: Pair | null) => void; // without it no cell can be chosen
};

const digits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

export function Confusion({ evaluation, pair = null, choose }: Props) {
  const { confusion, images, accuracy } = evaluation;
  const mostWrong = Math.max(
    1,
    ...confusion.flatMap((row, label) => row.filter((_, digit) => digit !== label)),
  );
  const wrong = images - Math.round(accuracy * images);
  return (
    <>
      <p class="quiet small">
        {count(wrong)} of {count(images)} test images misread. Rows: the digit shown; columns: what it was
        read as.{choose && ' Choose a number to see which.'}
      </p>
      <div class="table-scroll confusion-scroll">
        <table class="confusion">
          <caption class="unseen">Rows: the digit on the image. Columns: the digit that was read.</caption>
          <thead>
            <tr>
              <td class="corner">
                <span>shown</span>
                <span>read as</span>
              </td>
              {digits.map((digit) => (
                <th key={digit} scope="col">
                  {digit}
                </th>
              ))}
              <th scope="col" class="recall">
                right
              </th>
            </tr>
          </thead>
          <tbody>
            {confusion.map((row, label) => (
              <Row key={label} {...{ row, label, mostWrong, pair, choose }} />
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

type Chosen = { pair: Pair | null; choose: Props['choose'] };
type RowProps = Chosen & { row: readonly number[]; label: number; mostWrong: number };

function Row({ row, label, mostWrong, pair, choose }: RowProps) {
  const total = row.reduce((sum, images) => sum + images, 0);
  return (
    <tr>
      <th scope="row">{label}</th>
      {row.map((images, digit) =>
        digit === label ? (
          <td key={digit} class="is-right">
            {images}
          </td>
        ) : (
          <Wrong
            key={digit}
            {...{ label, digit, images, choose }}
            heat={heatOf(images, mostWrong)}
            isChosen={pair?.label === label && pair.digit === digit}
          />
        ),
      )}
      <td class="recall">{total > 0 ? percent(row[label]! / total) : '–'}</td>
    </tr>
  );
}

type WrongProps = Pair & Pick<Chosen, 'choose'> & { images: number; heat: number; isChosen: boolean };

function Wrong({ label, digit, images, heat, isChosen, choose }: WrongProps) {
  if (images === 0) return <td class="is-none">0</td>;
  return (
    <td class="is-wrong" style={{ '--tint': `${Math.round(8 + 40 * heat)}%` }}>
      {choose ? (
        <button
          type="button"
          aria-pressed={isChosen}
          aria-label={`${label} read as ${digit}: ${images}`}
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
