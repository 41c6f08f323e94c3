/** The fields that override a recipe's values; each shows its own error. */
import { useEffect, useState } from 'preact/hooks';
import type { Recipe } from '../../../src/client/index.ts';
import type { FieldProblem } from '../api/outcome.ts';
import { sentence } from '../ui/sentence.ts';
import { type Changes, initial, rangeOf, type Schema, type Value } from './request.ts';

const fields: readonly (readonly [name: string, label: string])[] = [
  ['network', 'Network'],
  ['epochs', 'Epochs'],
  ['passes', 'Passes an epoch'],
  ['patience', 'Patience'],
  ['batchSize', 'Batch size'],
  ['learningRate', 'Learning rate'],
  ['schedule', 'Schedule'],
  ['warmup', 'Warm-up'],
  ['labelSmoothing', 'Label smoothing'],
  ['otherHands', 'Other writers'],
  ['outliers', 'Outliers'],
  ['calibrationImages', 'Calibration images'],
  ['trainImages', 'Training images'],
  ['testImages', 'Test images'],
  ['seed', 'Seed'],
  ['shuffle', 'Shuffle each epoch'],
  ['augment', 'Distort images'],
  ['balance', 'Show rare labels more often'],
  ['corrections', 'Learn from corrections'],
];

type Props = {
  recipe: Recipe | undefined;
  schema: Schema;
  changes: Changes;
  setChanges: (changes: Changes) => void;
  errors: readonly FieldProblem[];
};

export function Settings({ recipe, schema, changes, setChanges, errors }: Props) {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    if (errors.length > 0) setOpen(true); // the errors have to be visible
  }, [errors]);
  const changed = Object.keys(changes).length;
  const isKnown = Object.keys(schema).length > 0; // before, no field knows of what kind it is
  return (
    <details class="settings" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>More settings{changed > 0 && <span class="quiet"> · {changed} changed</span>}</summary>
      <div class="settings-grid">
        {recipe &&
          isKnown &&
          fields.map(([name, label]) => (
            <Field
              key={name}
              {...{ name, label, schema }}
              value={changes[name] ?? initial(recipe, name, schema)}
              error={errors.find(({ field }) => field === name)?.message}
              change={(value) => setChanges({ ...changes, [name]: value })}
            />
          ))}
      </div>
      {changed > 0 && (
        <button type="button" class="link" onClick={() => setChanges({})}>
          Back to the recipe’s values
        </button>
      )}
    </details>
  );
}

type FieldProps = {
  name: string;
  label: string;
  schema: Schema;
  value: Value | undefined;
  error: string | undefined;
  change: (value: string | boolean) => void;
};

function Field({ name, label, schema, value, error, change }: FieldProps) {
  const limits = schema[name] ?? {};
  const id = `setting-${name}`;
  const common = {
    id,
    'aria-describedby': `${id}-word`,
    'aria-invalid': error !== undefined,
    title: limits.description,
  };
  const word =
    (error && sentence(error)) ??
    (limits.minimum === undefined && limits.exclusiveMinimum === undefined ? '' : rangeOf(limits));
  return (
    <div class={typeof value === 'boolean' ? 'field is-tick' : 'field'}>
      <label for={id}>{label}</label>
      {typeof value === 'boolean' ? (
        <input
          type="checkbox"
          {...common}
          checked={value}
          onChange={(event) => change(event.currentTarget.checked)}
        />
      ) : limits.enum ? (
        <select {...common} value={String(value)} onChange={(event) => change(event.currentTarget.value)}>
          {limits.enum.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      ) : (
        <input
          type="text"
          inputMode="decimal"
          autocomplete="off"
          {...common}
          value={value === null || value === undefined ? '' : String(value)}
          placeholder={limits.empty ?? ''}
          onInput={(event) => change(event.currentTarget.value)}
        />
      )}
      <p
        id={`${id}-word`}
        class={error === undefined ? 'unseen' : 'field-problem'}
        {...(error && { role: 'alert' })}
      >
        {word}
      </p>
    </div>
  );
}
