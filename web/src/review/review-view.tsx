/** Answers that are worth looking at, and what people have corrected. */
import '../styles/review.css';
import { useState } from 'preact/hooks';
import type { Correction, KeptAnswer } from '../../../src/client/index.ts';
import type { Outcome, Problem } from '../api/outcome.ts';
import { useAnswer } from '../api/use-answer.ts';
import { useApp, useStore } from '../app-context.ts';
import { createRegistry, modelNamed } from '../models/registry.ts';
import { age, count, percent } from '../ui/format.ts';
import { LabelChoice } from '../ui/label-choice.tsx';
import { areDigits } from '../ui/labels.ts';
import { ProblemNote } from '../ui/problem-note.tsx';

const everyMs = 5000;
const shown = 100;

export function ReviewView() {
  const { client, ask } = useApp().api;
  const query = { limit: shown };
  const kept = useAnswer((signal) => ask(client.GET('/review', { params: { query }, signal })), [], everyMs);
  const made = useAnswer(
    (signal) => ask(client.GET('/corrections', { params: { query }, signal })),
    [],
    everyMs,
  );
  const registry = useAnswer(useStore(createRegistry).refresh, [], everyMs);
  const [problem, setProblem] = useState<Problem | null>(null);
  const settle = async (call: Promise<Outcome<unknown>>) => {
    const outcome = await call;
    setProblem(outcome.ok ? null : outcome.problem);
    kept.reload();
    made.reload();
  };
  return (
    <div class="view review">
      <header class="view-head">
        <h1 tabIndex={-1}>Review</h1>
        <p>Say where the network is wrong. The next training can learn from it.</p>
      </header>
      <ProblemNote problem={problem ?? kept.problem ?? made.problem ?? registry.problem} />
      {kept.data && made.data && registry.data ? (
        <>
          <Kept {...kept.data} settle={settle} />
          <Made {...made.data} settle={settle} />
        </>
      ) : (
        <div class="panel is-loading" aria-busy="true" />
      )}
    </div>
  );
}

type Settle = { settle: (call: Promise<Outcome<unknown>>) => Promise<void> };
type KeptProps = Settle & { keepInputs: boolean; data: readonly KeptAnswer[]; count: number };

function Kept({ keepInputs, data, count: all, settle }: KeptProps) {
  return (
    <section class="panel" aria-labelledby="kept-title">
      <h2 id="kept-title">Answers to look at</h2>
      <p class="quiet">{wordsOnKept(keepInputs, data.length, all)}</p>
      <ul class="review-list">
        {data.map((answer) => (
          <KeptItem key={answer.predictionId} answer={answer} settle={settle} />
        ))}
      </ul>
    </section>
  );
}

function wordsOnKept(keepInputs: boolean, listed: number, all: number): string {
  if (!keepInputs)
    return 'Answers are kept, with their pictures, only where the server runs with KEEP_INPUTS=true.';
  if (all === 0) return 'None yet.';
  return listed < all ? `The ${count(listed)} least sure of ${count(all)}.` : 'The least sure ones first.';
}

function KeptItem({ answer, settle }: Settle & { answer: KeptAnswer }) {
  const { client, ask } = useApp().api;
  const [isSent, setSent] = useState(false);
  const { predictionId, label, confidence, verdict, model, at, input } = answer;
  const labels = modelNamed(useStore(createRegistry).models.value, model.name)?.labels ?? [];
  const none = areDigits(labels) ? 'no digit' : 'none of the labels';
  const send = (call: () => Promise<Outcome<unknown>>) => {
    setSent(true);
    void settle(call()).then(() => setSent(false));
  };
  const correct = (said: string | null) =>
    send(() => ask(client.POST('/corrections', { body: { predictionId, label: said } })));
  const accept = () =>
    send(() => ask(client.DELETE('/review/{predictionId}', { params: { path: { predictionId } } })));
  return (
    <li>
      <Seen input={input} name={`Read as ${label}`} />
      <div>
        <p>
          Read as <strong>{label}</strong>, {percent(confidence, 0)} sure
          {verdict === 'unknown' && `, but probably ${none}`}
        </p>
        <p class="quiet small">
          {model.name}, version {model.version}, {age(at)}
        </p>
        <LabelChoice
          name={`What it shows, read as ${label}`}
          labels={labels}
          disabled={isSent}
          choose={correct}
        />
        <button type="button" class="link" aria-disabled={isSent} onClick={() => !isSent && accept()}>
          It is right
        </button>
      </div>
    </li>
  );
}

type MadeProps = Settle & { data: readonly Correction[]; count: number };

function Made({ data, count: all, settle }: MadeProps) {
  return (
    <section class="panel" aria-labelledby="made-title">
      <h2 id="made-title">Corrections</h2>
      <p class="quiet">
        {all === 0 ? (
          'None yet. “That’s wrong” beside a drawing makes one.'
        ) : (
          <>
            {data.length < all ? `The newest ${count(data.length)} of ${count(all)}. ` : ''}A training learns
            from them where “Learn from corrections” is ticked: <a href="#train">start one</a>.
          </>
        )}
      </p>
      <ul class="review-list">
        {data.map((correction) => (
          <MadeItem key={correction.id} correction={correction} settle={settle} />
        ))}
      </ul>
    </section>
  );
}

function MadeItem({ correction, settle }: Settle & { correction: Correction }) {
  const { client, ask } = useApp().api;
  const { id, label, answer, model, createdAt, input } = correction;
  const word = label ?? 'none of the labels';
  const remove = () => void settle(ask(client.DELETE('/corrections/{id}', { params: { path: { id } } })));
  return (
    <li>
      <Seen input={input} name={`Corrected to ${word}`} />
      <div>
        <p>
          Shows <strong>{word}</strong>, was read as {answer.label}
        </p>
        <p class="quiet small">
          {model}, version {answer.version}, {age(createdAt)}
        </p>
        <button type="button" class="link" onClick={remove}>
          Remove <span class="unseen">the correction to {word}</span>
        </button>
      </div>
    </li>
  );
}

function Seen({ input, name }: { input: string; name: string }) {
  return (
    <div class="pixels">
      <img src={`data:image/png;base64,${input}`} width="28" height="28" alt={name} />
    </div>
  );
}
