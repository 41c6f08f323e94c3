/** The form that starts a training: a recipe, and values that override it. */
import { useState } from 'preact/hooks';
import { type Job, pause, queueJob, type Recipe } from '../../../src/client/index.ts';
import type { Api } from '../api/api.ts';
import type { FieldProblem, Problem } from '../api/outcome.ts';
import { useAnswer } from '../api/use-answer.ts';
import { useApp } from '../app-context.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { sentence } from '../ui/sentence.ts';
import { type Changes, type Checked, checkRequest, schemaOf } from './request.ts';
import { Settings } from './settings.tsx';

const longestWaitSeconds = 5; // before a retry; after a longer Retry-After the user decides

type Refusal = { readonly errors: readonly FieldProblem[]; readonly problem: Problem | null };
const nothingWrong: Refusal = { errors: [], problem: null };

export function TrainForm({ started }: { started: (job: Job) => void }) {
  const { api } = useApp();
  const recipes = useAnswer((signal) => api.ask(api.client.GET('/recipes', { signal })), []);
  const openApi = useAnswer((signal) => api.ask(readOpenApi(api, signal)), []);
  const [name, setName] = useState('default');
  const [changes, setChanges] = useState<Changes>({});
  const [refusal, setRefusal] = useState(nothingWrong);
  const [isStarting, setStarting] = useState(false);
  const schema = openApi.data ? schemaOf(openApi.data) : {};
  const recipe = recipes.data?.data.find((candidate) => candidate.name === name);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!recipe || isStarting) return;
    setStarting(true);
    const result = await start(api, checkRequest(recipe, changes, schema));
    setStarting(false);
    if ('id' in result) started(result);
    setRefusal('id' in result ? nothingWrong : result);
  };
  return (
    <section class="panel train-form" aria-labelledby="new-training">
      <h2 id="new-training">New training</h2>
      <form onSubmit={(event) => void submit(event)} noValidate>
        <RecipeChoice
          recipes={recipes.data?.data ?? []}
          chosen={recipe}
          choose={(chosen) => {
            setName(chosen);
            setChanges({});
            setRefusal(nothingWrong);
          }}
        />
        <Settings {...{ recipe, schema, changes, setChanges }} errors={refusal.errors} />
        <button type="submit" class="button is-main" disabled={!recipe} aria-disabled={isStarting}>
          {isStarting ? 'Starting…' : 'Start training'}
        </button>
        <ProblemNote problem={recipes.problem ?? openApi.problem ?? refusal.problem} />
      </form>
    </section>
  );
}

type ChoiceProps = {
  recipes: readonly Recipe[];
  chosen: Recipe | undefined;
  choose: (name: string) => void;
};

function RecipeChoice({ recipes, chosen, choose }: ChoiceProps) {
  return (
    <div class="field">
      <label for="recipe">Recipe</label>
      <select
        id="recipe"
        value={chosen?.name ?? ''}
        disabled={recipes.length === 0}
        aria-describedby="recipe-summary"
        onChange={(event) => choose(event.currentTarget.value)}
      >
        {recipes.map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <p id="recipe-summary" class="quiet recipe-summary">
        {chosen && sentence(chosen.summary)}
      </p>
    </div>
  );
}

/** Reads the schema, from which the form takes its limits. */
function readOpenApi({ client }: Api, signal: AbortSignal) {
  return (client.GET as (path: string, init: object) => ReturnType<typeof client.GET>)('/openapi.json', {
    signal,
  });
}

/** Queues the job; all tries have one idempotency key, so that a lost answer leads to no second job. */
async function start({ client, ask }: Api, checked: Checked): Promise<Job | Refusal> {
  if (!checked.ok) return { errors: checked.errors, problem: null };
  const key = randomKey();
  for (let tries = 1; ; tries++) {
    const outcome = await ask(queueJob(client, checked.body as never, key));
    if (outcome.ok) return outcome.data;
    const { problem } = outcome;
    const waitSeconds = problem.retryAfterSeconds ?? Number.POSITIVE_INFINITY;
    if (tries === 3 || waitSeconds > longestWaitSeconds) return { errors: problem.errors ?? [], problem };
    await pause(1000 * waitSeconds);
  }
}

/** A random key; crypto.randomUUID exists on HTTPS and loopback only. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16)).join('-');
}
