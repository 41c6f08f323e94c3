/** How a version reads the corrections that were held out of its training. */
import type { Evaluation } from '../../../src/client/index.ts';
import { count, percent } from '../ui/format.ts';

export function CorrectionResults({ results }: { results: NonNullable<Evaluation['corrections']> }) {
  const { trained, heldOut, right } = results;
  return (
    <section class="panel" aria-labelledby="corrections-title">
      <h2 id="corrections-title">Corrections</h2>
      <p>
        Trained on {count(trained)} of them.{' '}
        {heldOut === 0
          ? 'None were held out to measure with: that takes five.'
          : `Of the ${count(heldOut)} that were held out, it reads ${count(right)} right (${percent(right / heldOut, 0)}).`}
      </p>
    </section>
  );
}
