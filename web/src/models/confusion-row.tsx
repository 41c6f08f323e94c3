/** A row of the confusion matrix: one label, and what its images were read as. */
import { percent } from '../ui/format.ts';
import { heatOf } from './heat.ts';

/** Positions in the labels: what is shown, and what was read. */
export type Pair = { readonly label: number; readonly digit: number };
export type Matrix = {
  readonly confusion: readonly (readonly number[])[];
  readonly labels: readonly string[];
};
export type Choice = {
  readonly pair: Pair | null;
  readonly choose: ((pair: Pair | null) => void) | undefined;
};

type RowProps = {
  matrix: Matrix;
  label: number; // position in the labels
  mostWrong: number;
  choice: Choice;
  stop: number | null; // the column of the button at which Tab stops
};

export function ConfusionRow({ matrix, label, mostWrong, choice, stop }: RowProps) {
  const { confusion, labels } = matrix;
  const row = confusion[label]!;
  const total = row.reduce((sum, images) => sum + images, 0);
  const name = labels[label]!;
  return (
    <tr>
      <th scope="row" title={name}>
        <bdi>{name}</bdi>
      </th>
      {row.map((images, digit) =>
        digit === label ? (
          <td key={digit} class="is-right" title={`${name} read right: ${images}`}>
            {images}
          </td>
        ) : (
          <Wrong
            key={digit}
            pair={{ label, digit }}
            words={`${name} read as ${labels[digit]}: ${images}`}
            heat={heatOf(images, mostWrong)}
            isStop={stop === digit}
            {...{ images, choice }}
          />
        ),
      )}
      <td class="recall">{total > 0 ? percent(row[label]! / total) : '–'}</td>
    </tr>
  );
}

type WrongProps = {
  pair: Pair;
  words: string; // which pair it is, and how often it was seen
  images: number;
  heat: number;
  choice: Choice;
  isStop: boolean;
};

function Wrong({ pair, words, images, heat, choice: { pair: chosen, choose }, isStop }: WrongProps) {
  if (images === 0)
    return (
      <td class="is-none" title={words}>
        0
      </td>
    );
  const { label, digit } = pair;
  const isChosen = chosen?.label === label && chosen.digit === digit;
  return (
    <td class="is-wrong" style={{ '--tint': `${Math.round(8 + 40 * heat)}%` }} title={words}>
      {choose ? (
        <button
          type="button"
          aria-pressed={isChosen}
          aria-label={words}
          tabIndex={isStop ? 0 : -1}
          data-row={label}
          data-column={digit}
          onClick={() => choose(isChosen ? null : pair)}
        >
          {images}
        </button>
      ) : (
        images
      )}
    </td>
  );
}
