/** Two versions on the same test images: both confusion matrices, and the images that only one of them reads right. */
import { useState } from 'preact/hooks';
import type { Model, ModelComparison } from '../../../src/client/index.ts';
import type { Outcome } from '../api/outcome.ts';
import { useAnswer } from '../api/use-answer.ts';
import { useApp } from '../app-context.ts';
import { testImageHash } from '../route.ts';
import { count } from '../ui/format.ts';
import { Confusion } from './confusion.tsx';
import { comparisonNote } from './gate-numbers.tsx';
import { NoEvaluation, useEvaluation } from './mistakes.tsx';
import { TestImage } from './test-image.tsx';

type Props = { model: Model; other: number };

export function SideBySide({ model, other }: Props) {
  const { version } = model;
  const { client, ask } = useApp().api;
  const { data: comparison } = useAnswer(
    async (signal): Promise<Outcome<Outcome<ModelComparison>>> => {
      const params = { path: { version, other } };
      const data = await ask(client.GET('/models/{version}/comparison/{other}', { params, signal }));
      return { ok: true, data }; // that two versions can't be compared is an answer, too
    },
    [version, other],
  );
  const known = comparison?.ok ? comparison.data : null;
  return (
    <>
      <section class="panel" aria-labelledby="matrices-title">
        <h2 id="matrices-title">Confusion matrices</h2>
        <div class="side-by-side">
          <Matrix version={version} />
          <Matrix version={other} />
        </div>
      </section>
      <section class="panel" aria-labelledby="only-title">
        <h2 id="only-title">Read right by only one of them</h2>
        <p class="quiet small comparison-note">{comparison && comparisonNote(comparison)}</p>
        <div class="side-by-side">
          <OnlyOne model={model} version={version} indexes={known?.onlyVersion} />
          <OnlyOne model={model} version={other} indexes={known?.onlyOther} />
        </div>
      </section>
    </>
  );
}

function Matrix({ version }: { version: number }) {
  const { data, problem } = useEvaluation(version);
  return (
    <div class="matrix">
      <h3>Version {version}</h3>
      {data ? <Confusion evaluation={data} /> : <NoEvaluation problem={problem} />}
    </div>
  );
}

const firstShown = 24;
const moreShown = 48;

type OnlyProps = {
  model: Model; // whose test images they are; the other version has the same
  version: number;
  indexes: readonly number[] | undefined; // undefined: not known
};

/** The test images that only `version` reads right, in the order of the test set. */
function OnlyOne({ model, version, indexes }: OnlyProps) {
  const [shown, setShown] = useState(firstShown);
  const hidden = (indexes?.length ?? 0) - shown;
  return (
    <div role="group" aria-label={`Only version ${version} reads them right`}>
      <h3>
        Only version {version}: {indexes ? count(indexes.length) : '–'}
      </h3>
      <ul class="misread">
        {indexes?.slice(0, shown).map((index) => (
          <li key={index}>
            <a href={testImageHash(model.model, model.dataset.name, index)} title={`Test image ${index}`}>
              <TestImage dataset={model.dataset.name} index={index} />
              <span class="quiet">
                <span class="unseen">Test image </span>
                {index}
              </span>
            </a>
          </li>
        ))}
      </ul>
      {hidden > 0 && (
        <button type="button" class="button" onClick={() => setShown(shown + moreShown)}>
          Show {Math.min(hidden, moreShown)} more
        </button>
      )}
    </div>
  );
}
