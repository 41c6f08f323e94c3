/** Buttons for what a picture shows: each label, and none of them. Where there are many, those that a text is part of. */
import { useId, useState } from 'preact/hooks';
import { matchingLabels } from './labels.ts';

type Props = {
  name: string; // of the group, for screen readers
  labels: readonly string[];
  disabled?: boolean;
  choose: (label: string | null) => void;
};

const mostShown = 20;

export function LabelChoice({ name, labels, disabled = false, choose }: Props) {
  const [text, setText] = useState('');
  const matching = matchingLabels(labels, text);
  const shown = matching.slice(0, mostShown);
  const say = (label: string | null) => () => !disabled && choose(label);
  return (
    <div class="label-choice" role="group" aria-label={name}>
      {labels.length > mostShown && (
        <Filter text={text} setText={setText} hidden={matching.length - shown.length} />
      )}
      {shown.map((label) => (
        <button key={label} type="button" class="button" aria-disabled={disabled} onClick={say(label)}>
          <bdi title={label}>{label}</bdi>
        </button>
      ))}
      <button type="button" class="button" aria-disabled={disabled} onClick={say(null)}>
        None of these
      </button>
    </div>
  );
}

type FilterProps = { text: string; setText: (text: string) => void; hidden: number };

function Filter({ text, setText, hidden }: FilterProps) {
  const id = useId();
  return (
    <div class="field label-filter">
      <label for={id}>Find a label</label>
      <input
        id={id}
        type="text"
        autocomplete="off"
        value={text}
        aria-describedby={`${id}-word`}
        onInput={({ currentTarget: { value } }) => setText(value)}
      />
      <p id={`${id}-word`} class="quiet small">
        {hidden > 0 ? `${hidden} more; type a part of the label.` : 'These are all that match.'}
      </p>
    </div>
  );
}
