import { useEffect, useRef } from 'preact/hooks';
import { useApp, useStore } from '../app-context.ts';
import { pairsOf } from '../route.ts';
import { Icon } from '../ui/icons.tsx';
import { Answer } from './answer.tsx';
import { createChosenModel, type Subject } from './chosen-model.ts';
import { createDrawing, type Drawing } from './drawing.ts';
import { ModelChoice } from './model-choice.tsx';
import { Surface } from './surface.tsx';

const words: Readonly<Record<Subject, readonly [title: string, summary: string]>> = {
  digit: ['Draw a digit', 'The network reads it while you draw.'],
  ink: ['Draw a character', 'The network reads it while you draw.'],
  picture: ['Show a picture', 'The network says what it shows.'],
};

export function DrawView() {
  const drawing = useStore(createDrawing);
  usePastedPictures(drawing);
  useUndoKey(drawing);
  useTestImageOfRoute(drawing);
  const [title, summary] = words[useStore(createChosenModel).subject.value];
  return (
    <div class="view draw">
      <header class="view-head">
        <h1 tabIndex={-1}>{title}</h1>
        <p>{summary}</p>
        <ModelChoice />
      </header>
      <section class="draw-area" aria-label="Drawing">
        <Surface />
        <Tools drawing={drawing} />
        <p class="draw-note" role="status">
          {drawing.pictureProblem.value ?? nameOfPicture(drawing)}
        </p>
      </section>
      <Answer />
    </div>
  );
}

function Tools({ drawing }: { drawing: Drawing }) {
  const { marks, sheet, undo, clear, showTestImage } = drawing;
  return (
    <div class="tools">
      <button type="button" class="button" aria-disabled={marks.value.length === 0} onClick={undo}>
        <Icon name="undo" />
        Undo
      </button>
      <button type="button" class="button" aria-disabled={sheet.value.kind === 'empty'} onClick={clear}>
        <Icon name="clear" />
        Clear
      </button>
      <FileButton showFile={drawing.showFile} />
      <button type="button" class="button" onClick={() => void showTestImage()}>
        <Icon name="sample" />
        Try a test image
      </button>
    </div>
  );
}

function FileButton({ showFile }: Pick<Drawing, 'showFile'>) {
  const input = useRef<HTMLInputElement>(null);
  const choose = () => {
    const file = input.current!.files?.[0];
    if (file) void showFile(file);
    input.current!.value = ''; // the same file may be chosen again
  };
  return (
    <>
      <button type="button" class="button" onClick={() => input.current!.click()}>
        <Icon name="open" />
        Open a picture
      </button>
      <input ref={input} type="file" accept="image/*" aria-label="Picture to read" hidden onChange={choose} />
    </>
  );
}

function nameOfPicture({ sheet }: Drawing): string {
  const seen = sheet.value;
  if (seen.kind !== 'picture') return 'Or drop or paste a picture here.';
  const label = seen.label === null ? '' : `, labelled ${seen.label}`;
  return `This is ${seen.name}${label}. Draw over it to start anew.`;
}

function usePastedPictures({ showFile }: Drawing): void {
  useEffect(() => {
    const paste = (event: ClipboardEvent) => {
      const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith('image/'));
      if (file) void showFile(file);
    };
    document.addEventListener('paste', paste);
    return () => document.removeEventListener('paste', paste);
  }, []);
}

function useUndoKey({ undo }: Drawing): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key !== 'z' || !(event.ctrlKey || event.metaKey) || event.shiftKey) return;
      event.preventDefault();
      undo();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
}

/** Shows the test image that the address names, to which the misread images of a model link. */
function useTestImageOfRoute({ showTestImage }: Drawing): void {
  const { dataset, test = '' } = pairsOf(useApp().route.value);
  useEffect(() => {
    if (/^\d{1,9}$/.test(test)) void showTestImage({ dataset, index: Number(test) });
  }, [dataset, test]);
}
