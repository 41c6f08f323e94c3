/** Brings an archive to the server: by a drop, or from a list of files. */
import { useRef, useState } from 'preact/hooks';
import { datasetNameOf } from '../../../src/client/index.ts';
import { useStore } from '../app-context.ts';
import { Icon } from '../ui/icons.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { ProgressBar } from '../ui/progress-bar.tsx';
import { createDatasets } from './datasets.ts';
import type { Wish } from './upload.ts';

const unchanged = { name: '', form: 'auto', testShare: '0.2', seed: '1' } as const;

export function UploadForm({ reload }: { reload: () => void }) {
  const { upload, send, cancel } = useStore(createDatasets);
  const [file, setFile] = useState<File | null>(null);
  const [values, setValues] = useState<Omit<Wish, 'file'>>(unchanged);
  const now = upload.value;
  const isSending = now.state === 'sending';
  const take = (taken: File) => {
    setFile(taken);
    setValues({ ...values, name: datasetNameOf(taken.name) });
  };
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (file === null || isSending) return;
    const dataset = await send({ ...values, file });
    if (dataset === null) return;
    setFile(null);
    setValues(unchanged);
    location.hash = `#datasets/${dataset.name}`;
    reload();
  };
  return (
    <section class="panel" aria-labelledby="upload-title">
      <h2 id="upload-title">Import an archive</h2>
      <form class="upload" onSubmit={(event) => void submit(event)} noValidate>
        <DropPlace file={file} take={take} />
        <Fields values={values} change={(change) => setValues({ ...values, ...change })} />
        <ProgressBar name="Upload" share={isSending ? now.share : 0} status={isSending ? 'running' : ''} />
        <div class="upload-buttons">
          <button type="submit" class="button is-main" aria-disabled={file === null || isSending}>
            {isSending ? 'Sending…' : 'Import'}
          </button>
          {isSending && (
            <button type="button" class="button" onClick={cancel}>
              Cancel
            </button>
          )}
        </div>
        <ProblemNote problem={now.state === 'refused' ? now.problem : null} />
      </form>
    </section>
  );
}

function DropPlace({ file, take }: { file: File | null; take: (file: File) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const [isTarget, setTarget] = useState(false);
  const takeFirst = (files: FileList | null | undefined) => {
    if (files?.[0]) take(files[0]);
  };
  return (
    <div
      class={isTarget ? 'drop-place is-target' : 'drop-place'}
      onDragOver={(event) => {
        event.preventDefault();
        setTarget(true);
      }}
      onDragLeave={() => setTarget(false)}
      onDrop={(event) => {
        event.preventDefault();
        setTarget(false);
        takeFirst(event.dataTransfer?.files);
      }}
    >
      <button type="button" class="button" onClick={() => input.current!.click()}>
        <Icon name="open" />
        Choose a file
      </button>
      <p class="quiet small" role="status">
        {file === null ? 'Or drop a zip, tar or tar.gz here.' : `${file.name}, ${sizeOf(file)}`}
      </p>
      <input
        ref={input}
        type="file"
        accept=".zip,.tar,.tgz,.gz"
        aria-label="Archive of labelled pictures"
        hidden
        onChange={() => {
          takeFirst(input.current!.files);
          input.current!.value = ''; // the same file may be chosen again
        }}
      />
    </div>
  );
}

function sizeOf({ size }: File): string {
  return size < 1e6 ? `${Math.ceil(size / 1e3)}\u202fkB` : `${(size / 1e6).toFixed(1)}\u202fMB`;
}

type FieldsProps = { values: Omit<Wish, 'file'>; change: (change: Partial<Wish>) => void };

function Fields({ values: { name, form, testShare, seed }, change }: FieldsProps) {
  return (
    <div class="upload-fields">
      <Text id="dataset-name" label="Name" value={name} change={(text) => change({ name: text })} />
      <div class="field">
        <label for="dataset-form">Form</label>
        <select
          id="dataset-form"
          value={form}
          onChange={({ currentTarget: { value } }) => change({ form: value as Wish['form'] })}
        >
          <option value="auto">automatic</option>
          <option value="ink">ink, drawn or written</option>
          <option value="picture">pictures as they are</option>
        </select>
      </div>
      <Text
        id="dataset-share"
        label="Share for the test"
        value={testShare}
        change={(text) => change({ testShare: text })}
      />
      <Text id="dataset-seed" label="Seed" value={seed} change={(text) => change({ seed: text })} />
    </div>
  );
}

type TextProps = { id: string; label: string; value: string; change: (text: string) => void };

function Text({ id, label, value, change }: TextProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="text"
        autocomplete="off"
        spellcheck={false}
        value={value}
        onInput={(event) => change(event.currentTarget.value)}
      />
    </div>
  );
}
