/** The form that starts a training: a data set, a recipe, and values that override it. */
import { useState } from 'preact/hooks';
import { type Job, pause, queueJob, type Recipe } from '../../../src/client/index.ts';
import type { Api } from '../api/api.ts';
import type { FieldProblem, Problem } from '../api/outcome.ts';
import { useAnswer } from '../api/use-answer.ts';
import { useApp } from '../app-context.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { sentence } from '../ui/sentence.ts';
import { DatasetChoice } from './dataset-choice.tsx';
import { Expectation } from './expectation.tsx';
import { type Changes, type Checked, checkRequest, schemaOf } from './request.ts';
import { Settings } from './settings.tsx';
import { type Asked, trialOf } from './trial.ts';

const longestWaitSeconds = 5; // before a retry; after a longer Retry-After the user decides
const automatic = ''; // the recipe that the server takes for the data set

type Refusal = { readonly errors: readonly FieldProblem[]; readonly problem: Problem | null };
const nothingWrong: Refusal = { errors: [], problem: null };

type FormProps = {
  dataset: string;
  chooseDataset: (name: string) => void;
  started: (job: Job) => void;
};

export function TrainForm({ dataset, chooseDataset, started }: FormProps) {
  const { api } = useApp();
  const { client, ask } = api;
  const query = { dataset };
  const recipes = useAnswer(
    (signal) => ask(client.GET('/recipes', { params: { query }, signal })),
    [dataset],
  );
  const openApi = useAnswer((signal) => ask(readOpenApi(api, signal)), []);
  const [name, setName] = useState(automatic);
  const [model, setModel] = useState('');
  const [changes, setChanges] = useState<Changes>({});
  const [refusal, setRefusal] = useState(nothingWrong);
  const [isStarting, setStarting] = useState(false);
  const schema = openApi.data ? schemaOf(openApi.data) : {};
  const wanted = name === automatic ? recipes.data?.automatic : name;
  const recipe = recipes.data?.data.find((candidate) => candidate.name === wanted);
  const asked: Asked = { dataset, ...optional('model', model.trim()), ...optional('recipe', name) };
  const checked = recipe && checkRequest(recipe, changes, schema);
  const isCurrent = recipes.problem === null; // of a data set that is gone, the recipes are another's
  const trial = recipe && checked && isCurrent ? trialOf(asked, recipe, changes, checked, schema) : null;
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!checked || isStarting) return;
    setStarting(true);
    const result = await start(api, asked, checked);
    setStarting(false);
    if ('id' in result) started(result);
    setRefusal('id' in result ? nothingWrong : result);
  };
  return (
    <section class="panel train-form" aria-labelledby="new-training">
      <h2 id="new-training">New training</h2>
      <form onSubmit={(event) => void submit(event)} noValidate>
        <DatasetChoice chosen={dataset} choose={chooseDataset} />
        <ModelName
          {...{ model, dataset, setModel }}
          error={refusal.errors.find(({ field }) => field === 'model')?.message}
        />
        <RecipeChoice
          recipes={recipes.data?.data ?? []}
          name={name}
          chosen={recipe}
          choose={(chosen) => {
            setName(chosen);
            setChanges({});
            setRefusal(nothingWrong);
          }}
        />
        <Settings {...{ recipe, schema, changes, setChanges }} errors={refusal.errors} />
        <Expectation request={trial} />
        <button type="submit" class="button is-main" disabled={!recipe} aria-disabled={isStarting}>
          {isStarting ? 'Starting…' : 'Start training'}
        </button>
        <ProblemNote problem={recipes.problem ?? openApi.problem ?? refusal.problem} />
      </form>
    </section>
  );
}

const optional = (field: string, value: string) => (value === '' ? {} : { [field]: value });

type ModelProps = {
  model: string;
  dataset: string;
  setModel: (name: string) => void;
  error: string | undefined;
};

function ModelName({ model, dataset, setModel, error }: ModelProps) {
  return (
    <div class="field">
      <label for="model-name">Model</label>
      <input
        id="model-name"
        type="text"
        autocomplete="off"
        spellcheck={false}
        placeholder={dataset}
        value={model}
        aria-invalid={error !== undefined}
        aria-describedby="model-name-word"
        onInput={({ currentTarget: { value } }) => setModel(value)}
      />
      <p
        id="model-name-word"
        class={error === undefined ? 'unseen' : 'field-problem'}
        {...(error !== undefined && { role: 'alert' })}
      >
        {error === undefined
          ? 'The line of versions; named after the data set unless given.'
          : sentence(error)}
      </p>
    </div>
  );
}

type ChoiceProps = {
  recipes: readonly Recipe[];
  name: string;
  chosen: Recipe | undefined;
  choose: (name: string) => void;
};

function RecipeChoice({ recipes, name, chosen, choose }: ChoiceProps) {
  const words = chosen && (name === automatic ? `${chosen.name}: ${chosen.summary}` : chosen.summary);
  return (
    <div class="field">
      <label for="recipe">Recipe</label>
      <select
        id="recipe"
        value={name}
        disabled={recipes.length === 0}
        aria-describedby="recipe-summary"
        onChange={(event) => choose(event.currentTarget.value)}
      >
        <option value={automatic}>automatic</option>
        {recipes.map((recipe) => (
          <option key={recipe.name}>{recipe.name}</option>
        ))}
      </select>
      <p id="recipe-summary" class="quiet recipe-summary">
        {words && sentence(words)}
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
async function start({ client, ask }: Api, asked: object, checked: Checked): Promise<Job | Refusal> {
  if (!checked.ok) return { errors: checked.errors, problem: null };
  const key = randomKey();
  const body = { ...asked, ...checked.body } as never;
  for (let tries = 1; ; tries++) {
    const outcome = await ask(queueJob(client, body, key));
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
