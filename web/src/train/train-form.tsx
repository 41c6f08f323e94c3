/** Starts a training: a recipe, and whatever is to differ from it. */
import { useState } from 'preact/hooks';
import { ask, client, type Job, type Recipe } from '../api/client.ts';
import type { FieldProblem, Problem } from '../api/outcome.ts';
import { useAnswer } from '../api/use-answer.ts';
import { pause } from '../api/wait.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { sentence } from '../ui/sentence.ts';
import { type Changes, type Checked, checkRequest, schemaOf } from './request.ts';
import { Settings } from './settings.tsx';

const longestWaitSeconds = 5; // for a server that is busy; beyond that a person decides

type Refusal = { readonly errors: readonly FieldProblem[]; readonly problem: Problem | null };
const nothingWrong: Refusal = { errors: [], problem: null };

export function TrainForm({ started }: { started: (job: Job) => void }) {
  const recipes = useAnswer((signal) => ask(client.GET('/recipes', { signal })), []);
  const openApi = useAnswer((signal) => ask(readOpenApi(signal)), []);
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
    const result = await start(checkRequest(recipe, changes, schema));
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

/** The form's limits are the server's: they come with its schema. */
function readOpenApi(signal: AbortSignal) {
  return (client.GET as (path: string, init: object) => ReturnType<typeof client.GET>)('/openapi.json', {
    signal,
  });
}

/** One key for all tries, so that one whose answer was lost starts no second job. */
async function start(checked: Checked): Promise<Job | Refusal> {
  if (!checked.ok) return { errors: checked.errors, problem: null };
  const headers = { 'idempotency-key': randomKey() };
  for (let tries = 1; ; tries++) {
    const outcome = await ask(client.POST('/jobs/train', { body: checked.body as never, headers }));
    if (outcome.ok) return outcome.data;
    const { problem } = outcome;
    const waitSeconds = problem.retryAfterSeconds ?? Number.POSITIVE_INFINITY;
    if (tries === 3 || waitSeconds > longestWaitSeconds) return { errors: problem.errors ?? [], problem };
    await pause(1000 * waitSeconds);
  }
}

/** crypto.randomUUID is there on HTTPS and loopback only. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16)).join('-');
}
