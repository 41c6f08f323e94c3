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
  return (
    <section class="panel model-list" aria-labelledby="versions-title">
      <h2 id="versions-title">Versions</h2>
      {isKnown && <ModelFilter />}
      <ProblemNote problem={problem ?? olderProblem} />
      <ul>
        {models.map((model) => (
          <ModelRow key={model.version} model={model} isOpen={model.version === open?.version} />
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

/** Which versions are listed, where there are several models. */
function ModelFilter() {
  const { only } = useStore(createModelList);
  const { models } = useStore(createRegistry);
  if (models.value.length < 2) return null;
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
        {models.value.map(({ name }) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </div>
  );
}

function ModelRow({ model, isOpen }: { model: Model; isOpen: boolean }) {
  const { version, metrics, recipe, epoch, epochs, createdAt } = model;
  const isOneOfSeveral = useStore(createRegistry).models.value.length > 1;
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
