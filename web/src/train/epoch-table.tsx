import type { Job } from '../../../src/client/index.ts';
import { duration, loss, percent } from '../ui/format.ts';
import { decisionOf } from './promotion.ts';

type Epoch = Job['epochs'][number];
type Props = {
  epochs: readonly Epoch[];
  unpublished: readonly number[]; // epochs that have ended without a version
  hasPatience: boolean;
  isOver: boolean;
};

const numberOf = (row: Epoch | number) => (typeof row === 'number' ? row : row.epoch);

export function EpochTable({ epochs, unpublished, hasPatience, isOver }: Props) {
  const rows = [...epochs, ...unpublished].toSorted((a, b) => numberOf(a) - numberOf(b));
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label="Epochs">
      <table class="numbers">
        <caption class="unseen">Losses and test accuracy after each epoch</caption>
        <thead>
          <tr>
            <th scope="col">Epoch</th>
            <th scope="col">Training loss</th>
            <th scope="col">Test loss</th>
            <th scope="col">Test accuracy</th>
            <th scope="col">Time</th>
            <th scope="col">Model</th>
            <th scope="col" class="decision">
              Decision
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) =>
            typeof row === 'number' ? (
              <Unpublished key={row} epoch={row} hasPatience={hasPatience} />
            ) : (
              <Published key={row.epoch} epoch={row} />
            ),
          )}
        </tbody>
      </table>
      {rows.length === 0 && (
        <p class="quiet small table-empty">
          {isOver ? 'No epoch came to its end.' : 'The first row comes with the end of the first epoch.'}
        </p>
      )}
    </div>
  );
}

function Published({ epoch }: { epoch: Epoch }) {
  return (
    <tr>
      <th scope="row">{epoch.epoch}</th>
      <td>{loss(epoch.trainLoss)}</td>
      <td>{loss(epoch.testLoss)}</td>
      <td>{percent(epoch.testAccuracy, 2)}</td>
      <td>{duration(epoch.seconds)}</td>
      <td>
        <a href={`#models/${epoch.modelVersion}`}>version {epoch.modelVersion}</a>
      </td>
      <td class="quiet small">{epoch.promotion ? decisionOf(epoch.promotion) : '–'}</td>
    </tr>
  );
}

function Unpublished({ epoch, hasPatience }: { epoch: number; hasPatience: boolean }) {
  const why = hasPatience
    ? 'its loss on the images held back was no lower'
    : 'no better than one fixed answer';
  return (
    <tr>
      <th scope="row">{epoch}</th>
      <td class="quiet small" colSpan={6}>
        Not published: {why}
      </td>
    </tr>
  );
}
