/** How many pictures each label has. */
import type { Dataset } from '../../../src/client/index.ts';
import { count } from '../ui/format.ts';

export function LabelTable({ dataset: { labels, counts } }: { dataset: Dataset }) {
  const of = (part: 'train' | 'test', position: number) => {
    const pictures = counts?.[part].byLabel?.[position];
    return pictures === undefined ? '–' : count(pictures);
  };
  return (
    <section class="panel" aria-labelledby="labels-title">
      <h2 id="labels-title">Labels</h2>
      <div class="table-scroll" tabIndex={0} role="region" aria-label="Pictures by label">
        <table class="numbers">
          <caption class="unseen">Pictures by label</caption>
          <thead>
            <tr>
              <th scope="col">Label</th>
              <th scope="col">To train on</th>
              <th scope="col">To test with</th>
            </tr>
          </thead>
          <tbody>
            {labels?.map((label, position) => (
              <tr key={label}>
                <th scope="row">
                  <bdi>{label}</bdi>
                </th>
                <td>{of('train', position)}</td>
                <td>{of('test', position)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
