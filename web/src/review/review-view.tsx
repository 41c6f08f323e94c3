/** Answers that are worth looking at, and what people have corrected. */
import '../styles/review.css';
import { useRef, useState } from 'preact/hooks';
import type { Correction, KeptAnswer } from '../../../src/client/index.ts';
import type { Outcome, Problem } from '../api/outcome.ts';
import { useAnswer } from '../api/use-answer.ts';
import { useApp, useStore } from '../app-context.ts';
import { createRegistry, modelNamed } from '../models/registry.ts';
import { age, count, percent } from '../ui/format.ts';
import { LabelChoice } from '../ui/label-choice.tsx';
import { areDigits } from '../ui/labels.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import type { Order } from './steady.ts';
import { useSteady } from './use-steady.ts';

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
  const own = useRef(new Set<string>()); // ids of the corrections made here
  const settle = async (call: Promise<Outcome<unknown>>) => {
    const outcome = await call;
    if (outcome.ok && isMade(outcome.data)) own.current.add(outcome.data.id);
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
          <Made {...made.data} own={own.current} settle={settle} />
        </>
      ) : (
        <div class="panel is-loading" aria-busy="true" />
      )}
    </div>
  );
}

const isMade = (data: unknown): data is { id: string } =>
  typeof data === 'object' && data !== null && 'id' in data && typeof data.id === 'string';

type Settle = { settle: (call: Promise<Outcome<unknown>>) => Promise<void> };
type List<Item> = { data: readonly Item[]; hasMore: boolean; count: number };

const sureness = ({ confidence, score }: KeptAnswer) => confidence * (score ?? 1);
const leastSureFirst: Order<KeptAnswer> = {
  idOf: ({ predictionId }) => predictionId,
  isBehind: (answer, other) => sureness(answer) > sureness(other),
};
const newestFirst: Order<Correction> = {
  idOf: ({ id }) => id,
  isBehind: (correction, other) => correction.createdAt < other.createdAt,
};

function Kept({ keepInputs, settle, ...list }: Settle & List<KeptAnswer> & { keepInputs: boolean }) {
  const { items, fresh, showFresh } = useSteady(list, leastSureFirst);
  return (
    <section class="panel" aria-labelledby="kept-title">
      <h2 id="kept-title">Answers to look at</h2>
      <p class="quiet">
        {wordsOnKept(keepInputs, items.length + fresh.length, list.count)}{' '}
        <Fresh count={fresh.length} show={showFresh} />
      </p>
      <ul class="review-list">
        {items.map((answer) => (
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

function Made({ own, settle, ...list }: Settle & List<Correction> & { own: ReadonlySet<string> }) {
  const { items, fresh, showFresh } = useSteady(list, newestFirst, own);
  const listed = items.length + fresh.length;
  return (
    <section class="panel" aria-labelledby="made-title">
      <h2 id="made-title">Corrections</h2>
      <p class="quiet">
        {list.count === 0 ? (
          'None yet. “That’s wrong” beside a drawing makes one.'
        ) : (
          <>
            {listed < list.count ? `The newest ${count(listed)} of ${count(list.count)}. ` : ''}A training
            learns from them where “Learn from corrections” is ticked: <a href="#train">start one</a>.{' '}
            <Fresh count={fresh.length} show={showFresh} />
          </>
        )}
      </p>
      <ul class="review-list">
        {items.map((correction) => (
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

/** Shows on demand what has come since: on its own it would move what somebody is about to press. */
function Fresh({ count: waiting, show }: { count: number; show: () => void }) {
  if (waiting === 0) return null;
  return (
    <button type="button" class="link" onClick={show}>
      {count(waiting)} new
    </button>
  );
}

function Seen({ input, name }: { input: string; name: string }) {
  return (
    <div class="pixels">
      <img src={`data:image/png;base64,${input}`} width="28" height="28" alt={name} />
    </div>
  );
}
