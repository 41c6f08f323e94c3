/** The choice of the data set that a training is to learn from. */

type Props = { chosen: string; choose: (name: string) => void };

export function DatasetChoice({ chosen, choose }: Props) {
  const names = [usualDataset];
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

export const usualDataset = 'mnist';
