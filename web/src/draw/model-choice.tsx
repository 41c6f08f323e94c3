/** The choice of the model that is to answer, where there is more than one. */
import { useAnswer } from '../api/use-answer.ts';
import { useStore } from '../app-context.ts';
import { createRegistry } from '../models/registry.ts';
import { createChosenModel, hashOf } from './chosen-model.ts';

const everyMs = 30_000; // a new model comes with a training

export function ModelChoice() {
  const { models, refresh } = useStore(createRegistry);
  const { name, known } = useStore(createChosenModel);
  useAnswer(refresh, [], everyMs);
  const names = models.value.map((model) => model.name);
  const chosen = name.value ?? known.value?.name;
  if (chosen === undefined || (names.length < 2 && name.value === null)) return null;
  return (
    <div class="field model-choice">
      <label for="model-choice">Model</label>
      <select
        id="model-choice"
        value={chosen}
        onChange={({ currentTarget: { value } }) => {
          location.hash = hashOf(value);
        }}
      >
        {(names.includes(chosen) ? names : [chosen, ...names]).map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
    </div>
  );
}
