/** The button that says that the answer is wrong, and what the drawing shows instead. */
import { useState } from 'preact/hooks';
import { useStore } from '../app-context.ts';
import { LabelChoice } from '../ui/label-choice.tsx';
import { sentence } from '../ui/sentence.ts';
import { predictionIn } from './bars.tsx';
import { createChosenModel } from './chosen-model.ts';
import { createCorrecting, type Said } from './correcting.ts';
import { createDrawing } from './drawing.ts';

export function Correct() {
  const { reading } = useStore(createDrawing);
  const { said, say } = useStore(createCorrecting);
  const [isOpen, setOpen] = useState(false);
  const { name, labelsOf } = useStore(createChosenModel);
  const labels = labelsOf(predictionIn(reading.value)?.model.name ?? name.value);
  const isBusy = said.value.state === 'sending' || reading.value.state !== 'read';
  return (
    <div class="correct">
      <button
        type="button"
        class="button second-button"
        aria-pressed={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        That’s wrong
      </button>
      {isOpen && (
        <>
          <LabelChoice
            name="What it shows"
            labels={labels}
            disabled={isBusy}
            choose={(label) => void say(label)}
          />
          <p class="correct-word" role="status">
            <Word said={said.value} />
          </p>
        </>
      )}
    </div>
  );
}

function Word({ said }: { said: Said }) {
  if (said.state === 'refused') return <>{sentence(said.problem.detail)}</>;
  if (said.state !== 'kept') return <>What does it show?</>;
  const { label } = said.correction;
  return (
    <>
      Kept as {label ?? 'none of these'}. A training can <a href="#review">learn from it</a>.
    </>
  );
}
