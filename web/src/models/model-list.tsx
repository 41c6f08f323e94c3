import { useState } from 'preact/hooks';
import type { Model } from '../../../src/client/index.ts';
import type { Problem } from '../api/outcome.ts';
import { useStore } from '../app-context.ts';
import { age, percent } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { Badges } from './badges.tsx';
import { createModelList } from './models.ts';
import { createRegistry } from './registry.ts';

type Props = {
  models: readonly Model[];
  isKnown: boolean;
  hasOlder: boolean;
  problem: Problem | null;
  open: Model | undefined;
};

export function ModelList({ models, isKnown, hasOlder, problem, open }: Props) {
  const { readOlder } = useStore(createModelList);
  const [olderProblem, setOlderProblem] = useState<Problem | null>(null);
  const names = useNames(models);
  return (
    <section class="panel model-list" aria-labelledby="versions-title">
      <h2 id="versions-title">Versions</h2>
      {isKnown && <ModelFilter names={names} />}
      <ProblemNote problem={problem ?? olderProblem} />
      <ul>
        {models.map((model) => (
          <ModelRow
            key={model.version}
            model={model}
            isOpen={model.version === open?.version}
            isOneOfSeveral={names.length > 1}
          />
        ))}
      </ul>
      {hasOlder && (
        <button type="button" class="button" onClick={() => void readOlder().then(setOlderProblem)}>
          Older versions
        </button>
      )}
    </section>
  );
}

/** The models by name: those of the list as well, so that nothing moves when the registry is read after it. */
function useNames(listed: readonly Model[]): string[] {
  const registered = useStore(createRegistry).models.value.map(({ name }) => name);
  return [...new Set([...registered, ...listed.map(({ model }) => model)])].toSorted((a, b) =>
    a < b ? -1 : 1,
  );
}

/** Which versions are listed, where there are several models. */
function ModelFilter({ names }: { names: readonly string[] }) {
  const { only } = useStore(createModelList);
  if (names.length < 2) return null;
  return (
    <div class="field">
      <select
        aria-label="Versions of"
        value={only.value ?? ''}
        onChange={({ currentTarget: { value } }) => {
          only.value = value === '' ? null : value;
        }}
      >
        <option value="">all models</option>
        {names.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </div>
  );
}

type RowProps = { model: Model; isOpen: boolean; isOneOfSeveral: boolean };

function ModelRow({ model, isOpen, isOneOfSeveral }: RowProps) {
  const { version, metrics, recipe, epoch, epochs, createdAt } = model;
  return (
    <li data-open={isOpen}>
      <a href={`#models/${version}`} aria-current={isOpen ? 'true' : undefined}>
        <span class="model-name">
          Version {version}
          <Badges model={model} />
        </span>
        <span class="model-accuracy">{percent(metrics.testAccuracy, 2)}</span>
        <span class="quiet">
          {isOneOfSeveral && `${model.model}: `}
          {recipe}, epoch {epoch} of {epochs}
        </span>
        <time class="quiet" dateTime={createdAt}>
          {age(createdAt)}
        </time>
      </a>
    </li>
  );
}
