import '../styles/train.css';
import '../styles/models.css';
import type { Model } from '../../../src/client/index.ts';
import { useAnswer } from '../api/use-answer.ts';
import { useApp, useStore } from '../app-context.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { History } from './history.tsx';
import { ModelDetail } from './model-detail.tsx';
import { ModelList } from './model-list.tsx';
import { useModels } from './models.ts';
import { createRegistry } from './registry.ts';

export function ModelsView() {
  const { route } = useApp();
  const list = useModels();
  const [wanted, , compared] = route.value.rest; // models/2/with/1
  const opened = wanted ?? list.champion?.toString();
  const open =
    opened === undefined
      ? (list.models.find(({ served }) => served) ?? list.models[0])
      : list.models.find(({ version }) => String(version) === opened);
  const named = (open ?? list.models[0])?.model;
  const other = isVersion(compared) ? Number(compared) : null;
  const othersOf = ({ version, model }: Model) =>
    list.models.filter((each) => each.model === model && each.version !== version);
  return (
    <div class="view models">
      <header class="view-head">
        <h1 tabIndex={-1}>Models</h1>
        <p>Every version that a training has published, and what it still gets wrong.</p>
      </header>
      <ModelList {...list} open={open} />
      <div class="model-place">
        {open && <ModelDetail key={open.version} model={open} others={othersOf(open)} other={other} />}
        {!open && opened !== undefined && list.isKnown && (
          <Unlisted version={opened} {...{ othersOf, other }} />
        )}
        {!open && opened === undefined && list.isKnown && <NoModel />}
      </div>
      {named && <History key={named} model={named} />}
    </div>
  );
}

const isVersion = (text: string | undefined) => /^[1-9]\d{0,14}$/.test(text ?? '');

function NoModel() {
  return (
    <p class="panel">
      There is no model yet. One comes with the end of the first epoch of a training:{' '}
      <a href="#train">start or watch one</a>.
    </p>
  );
}

type UnlistedProps = {
  version: string;
  othersOf: (model: Model) => readonly Model[];
  other: number | null;
};

/** Loads a version that the list does not contain: the one that the address names, or a champion that can't be read. */
function Unlisted({ version: given, othersOf, other }: UnlistedProps) {
  const { client, ask } = useApp().api;
  const version = given as unknown as number; // the server rejects what is no version
  const { data, problem } = useAnswer<Model>(
    (signal) => ask(client.GET('/models/{version}', { params: { path: { version } }, signal })),
    [version, useStore(createRegistry).changes.value],
  );
  return data ? (
    <ModelDetail model={data} others={othersOf(data)} other={other} />
  ) : (
    <ProblemNote problem={problem} />
  );
}
