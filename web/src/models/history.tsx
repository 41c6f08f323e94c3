/** The last decisions about a model: what, when, by whom and why. */
import type { Decision } from '../../../src/client/index.ts';
import { useAnswer } from '../api/use-answer.ts';
import { useApp, useStore } from '../app-context.ts';
import { age, shortId } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { sentence } from '../ui/sentence.ts';
import { wordsOf } from './decisions.ts';
import { everyMs } from './models.ts';
import { createRegistry, readHistory } from './registry.ts';

export function History({ model }: { model: string }) {
  const { api } = useApp();
  const { changes } = useStore(createRegistry);
  const { data, problem } = useAnswer(
    (signal) => readHistory(api, model, signal),
    [model, changes.value],
    everyMs,
  );
  return (
    <section class="panel history" aria-labelledby="history-title">
      <h2 id="history-title">History</h2>
      <p class="quiet small">Decisions about which version of {model} answers, newest first.</p>
      <ProblemNote problem={problem} />
      <div class="table-scroll" tabIndex={0} role="region" aria-label="Decisions">
        <table class="numbers">
          <caption class="unseen">The last decisions about {model}</caption>
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">What</th>
              <th scope="col">By</th>
              <th scope="col">Why</th>
            </tr>
          </thead>
          <tbody>
            {data?.map((decision) => (
              <Row key={decision.number} decision={decision} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Row({ decision }: { decision: Decision }) {
  const { at, by, reason } = decision;
  return (
    <tr>
      <td>
        <time dateTime={at} title={new Date(at).toLocaleString()}>
          {age(at)}
        </time>
      </td>
      <th scope="row">{wordsOf(decision)}</th>
      <td>{authorOf(by)}</td>
      <td>{reason === '' ? '–' : sentence(reason)}</td>
    </tr>
  );
}

function authorOf(by: string) {
  const id = /^job (\S+)$/.exec(by)?.[1];
  return id === undefined ? by : <a href={`#train/${id}`}>job {shortId(id)}</a>;
}
