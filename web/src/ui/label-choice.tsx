/** Buttons for what a picture shows: each label, and none of them. */

const labels = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

type Props = {
  name: string; // of the group, for screen readers
  disabled?: boolean;
  choose: (label: string | null) => void;
};

export function LabelChoice({ name, disabled = false, choose }: Props) {
  return (
    <div class="label-choice" role="group" aria-label={name}>
      {labels.map((label) => (
        <button
          key={label}
          type="button"
          class="button"
          aria-disabled={disabled}
          onClick={() => !disabled && choose(label)}
        >
          {label}
        </button>
      ))}
      <button type="button" class="button" aria-disabled={disabled} onClick={() => !disabled && choose(null)}>
        None of these
      </button>
    </div>
  );
}
