/** The numbers by which the gate decides: two versions on the same test images. */
import type { ModelComparison } from '../../../src/client/index.ts';
import type { Outcome } from '../api/outcome.ts';
import { count, percent, probability } from '../ui/format.ts';
import { sentence } from '../ui/sentence.ts';
import type { Offer } from './offer.ts';

/** The table is there before the numbers, so that nothing moves. */
export function GateNumbers({ offer }: { offer: Offer | null }) {
  const { from, to, accuracies = {}, comparison } = offer ?? {};
  const numbers = comparison?.ok ? comparison.data : null;
  const accuracyOf = (version: number | null | undefined) => {
    const accuracy = accuracies[version ?? 0];
    return accuracy === undefined ? '–' : percent(accuracy, 2);
  };
  return (
    <>
      <table class="numbers">
        <caption class="unseen">Both versions on the test images</caption>
        <thead>
          <tr>
            <td />
            <th scope="col">version {to ?? '–'}</th>
            <th scope="col">champion {from ?? '–'}</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">
              {comparison?.ok === false ? 'Accuracy, each on its own test images' : 'Test accuracy'}
            </th>
            <td>{accuracyOf(to)}</td>
            <td>{accuracyOf(from)}</td>
          </tr>
          <tr>
            <th scope="row">Only it reads right</th>
            <td>{numbers ? count(numbers.onlyVersion.length) : '–'}</td>
            <td>{numbers ? count(numbers.onlyOther.length) : '–'}</td>
          </tr>
        </tbody>
      </table>
      <p class="quiet small change-note">{comparison && comparisonNote(comparison)}</p>
    </>
  );
}

/** How sure the difference is, or why that is not known. */
export function comparisonNote(comparison: Outcome<ModelComparison>): string {
  if (!comparison.ok) {
    const { code, detail } = comparison.problem;
    return `${code === 'NOT_COMPARABLE' ? 'These versions can’t be compared: ' : ''}${sentence(detail)}`;
  }
  const { images, p } = comparison.data;
  return `On the first ${count(images)} test images; p ${probability(p)} (exact McNemar test: the smaller p is, the more certain is the difference).`;
}
