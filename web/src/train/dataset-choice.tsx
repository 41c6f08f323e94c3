/** The choice of the data set that a training is to learn from. */
import { useAnswer } from '../api/use-answer.ts';
import { useStore } from '../app-context.ts';
import { createDatasets } from '../datasets/datasets.ts';

type Props = { chosen: string; choose: (name: string) => void };

export const usualDataset = 'mnist';

export function DatasetChoice({ chosen, choose }: Props) {
  const { all, refresh } = useStore(createDatasets);
  useAnswer(refresh, []);
  const ready = all.value.filter(({ status }) => status === 'ready');
  const names = ready.map(({ name }) => name);
  return (
    <div class="field">
      <label for="dataset">Data set</label>
      <select id="dataset" value={chosen} onChange={({ currentTarget: { value } }) => choose(value)}>
        {(names.includes(chosen) ? names : [chosen, ...names]).map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </div>
  );
}
