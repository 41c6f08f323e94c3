/** One version: its provenance and its mistakes. */
import { useState } from 'preact/hooks';
import type { Evaluation, Model } from '../../../src/client/index.ts';
import type { Problem } from '../api/outcome.ts';
import { useAnswer } from '../api/use-answer.ts';
import { useApp, useStore } from '../app-context.ts';
import { count, loss, percent, shortId } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { Badges } from './badges.tsx';
import { ChangeChampion } from './change-champion.tsx';
import { Confusion, type Pair } from './confusion.tsx';
import { Misread } from './misread.tsx';
import { createRegistry } from './registry.ts';

export function ModelDetail({ model }: { model: Model }) {
  const { client, ask } = useApp().api;
  const { version } = model;
  const { data, problem } = useAnswer<Evaluation>(
    (signal) => ask(client.GET('/models/{version}/evaluation', { params: { path: { version } }, signal })),
    [version],
  );
  return (
    <div class="model-detail">
      <section class="panel" aria-labelledby="model-title">
        <div class="model-head">
          <h2 id="model-title">
            Version {version}
            <Badges model={model} />
          </h2>
          <ChangeChampion model={model} />
        </div>
        <Provenance model={model} />
      </section>
      {data ? <Mistakes evaluation={data} /> : <NoEvaluation problem={problem} />}
    </div>
  );
}

function Provenance({ model }: { model: Model }) {
  const { metrics, epoch, epochs, recipe, jobId, seed, engine, parameters, gitCommit } = model;
  const isOneOfSeveral = useStore(createRegistry).models.value.length > 1;
  const facts: [string, preact.ComponentChildren][] = [
    ...(isOneOfSeveral ? [['Model', model.model] as [string, string]] : []),
    ['Test accuracy', percent(metrics.testAccuracy, 2)],
    ['Test loss', loss(metrics.testLoss)],
    ['Training loss', loss(metrics.trainLoss)],
    ['Recipe', recipe],
    ['Epoch', `${epoch} of ${epochs}`],
    ['Job', <a href={`#train/${jobId}`}>{shortId(jobId)}</a>],
    ['Seed', seed],
    ['Parameters', count(parameters)],
    ['Commit', gitCommit ? <code>{gitCommit.slice(0, 10)}</code> : 'not known'],
    ['Trained on', engine.device],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Mistakes({ evaluation }: { evaluation: Evaluation }) {
  const [pair, setPair] = useState<Pair | null>(null);
  return (
    <>
      <section class="panel" aria-labelledby="confusion-title">
        <h2 id="confusion-title">Confusion matrix</h2>
        <Confusion evaluation={evaluation} pair={pair} choose={setPair} />
      </section>
      <section class="panel" aria-labelledby="misread-title">
        <h2 id="misread-title">Misread digits</h2>
        <Misread misread={evaluation.misread} pair={pair} showAll={() => setPair(null)} />
      </section>
    </>
  );
}

function NoEvaluation({ problem }: { problem: Problem | null }) {
  if (problem?.code !== 'EVALUATION_MISSING') {
    return problem ? <ProblemNote problem={problem} /> : <div class="panel is-loading" aria-busy="true" />;
  }
  return (
    <p class="panel quiet">
      This version was published before evaluations were kept, so what it misreads is not known. Versions
      trained from now on have one.
    </p>
  );
}
