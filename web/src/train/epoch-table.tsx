import type { Job } from '../../../src/client/index.ts';
import { duration, loss, percent } from '../ui/format.ts';
import { decisionOf } from './promotion.ts';

export function EpochTable({ epochs, isOver }: { epochs: Job['epochs']; isOver: boolean }) {
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
          {epochs.map((epoch) => (
            <tr key={epoch.epoch}>
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
          ))}
        </tbody>
      </table>
      {epochs.length === 0 && (
        <p class="quiet small table-empty">
          {isOver ? 'No epoch came to its end.' : 'The first row comes with the end of the first epoch.'}
        </p>
      )}
    </div>
  );
}
