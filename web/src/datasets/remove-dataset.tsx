/** Deletes a data set, or cancels its import, after a confirmation. */
import { useRef, useState } from 'preact/hooks';
import { type Dataset, expectDone } from '../../../src/client/index.ts';
import { outcomeOf, type Problem } from '../api/outcome.ts';
import { useApp } from '../app-context.ts';
import { ProblemNote } from '../ui/problem-note.tsx';

export function RemoveDataset({
  dataset: { name, status },
  reload,
}: {
  dataset: Dataset;
  reload: () => void;
}) {
  const { client } = useApp().api;
  const dialog = useRef<HTMLDialogElement>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const word = status === 'importing' ? 'Cancel the import' : 'Delete';
  const remove = async (event: SubmitEvent) => {
    event.preventDefault();
    const call = client.DELETE('/datasets/{name}', { params: { path: { name } } });
    const outcome = await outcomeOf(expectDone(call));
    setProblem(outcome.ok ? null : outcome.problem);
    if (!outcome.ok) return;
    dialog.current?.close();
    location.hash = '#datasets';
    reload();
  };
  return (
    <>
      <button type="button" class="button" onClick={() => dialog.current!.showModal()}>
        {word}
      </button>
      <dialog ref={dialog} class="dialog" aria-labelledby="remove-title" onClose={() => setProblem(null)}>
        <form onSubmit={(event) => void remove(event)}>
          <h2 id="remove-title">
            {word}: {name}
          </h2>
          <p>Its pictures go for good. Models that have learnt from them stay.</p>
          <ProblemNote problem={problem} />
          <div class="dialog-buttons">
            <button type="button" class="button" onClick={() => dialog.current!.close()}>
              Keep it
            </button>
            <button type="submit" class="button is-main">
              {word}
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}
