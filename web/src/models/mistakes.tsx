/** What one version gets wrong on the test images. */
import { useState } from 'preact/hooks';
import type { Evaluation, Model } from '../../../src/client/index.ts';
import type { Problem } from '../api/outcome.ts';
import { useAnswer } from '../api/use-answer.ts';
import { useApp } from '../app-context.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { Confusion, type Pair } from './confusion.tsx';
import { CorrectionResults } from './correction-results.tsx';
import { labelsOf } from './labels.ts';
import { Misread } from './misread.tsx';
import { Reliability } from './reliability.tsx';

export function useEvaluation(version: number) {
  const { client, ask } = useApp().api;
  return useAnswer<Evaluation>(
    (signal) => ask(client.GET('/models/{version}/evaluation', { params: { path: { version } }, signal })),
    [version],
  );
}

export function Mistakes({ model }: { model: Model }) {
  const { data: evaluation, problem } = useEvaluation(model.version);
  const [pair, setPair] = useState<Pair | null>(null);
  if (!evaluation) return <NoEvaluation problem={problem} />;
  return (
    <>
      <section class="panel" aria-labelledby="confusion-title">
        <h2 id="confusion-title">Confusion matrix</h2>
        <Confusion evaluation={evaluation} pair={pair} choose={setPair} />
      </section>
      <section class="panel" aria-labelledby="misread-title">
        <h2 id="misread-title">Misread images</h2>
        <Misread
          model={model}
          misread={evaluation.misread}
          labels={labelsOf(evaluation)}
          pair={pair}
          showAll={() => setPair(null)}
        />
      </section>
      {evaluation.corrections && <CorrectionResults results={evaluation.corrections} />}
      {evaluation.reliability && <Reliability reliability={evaluation.reliability} />}
    </>
  );
}

/** Why there is no evaluation; nothing while it is loaded. */
export function NoEvaluation({ problem }: { problem: Problem | null }) {
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
