import { useEffect, useRef } from 'preact/hooks';
import { route } from '../route.ts';
import { Icon } from '../ui/icons.tsx';
import { Answer } from './answer.tsx';
import { clear, marks, pictureProblem, sheet, showFile, showTestImage, undo } from './reading.ts';
import { Surface } from './surface.tsx';

export function DrawView() {
  usePastedPictures();
  useUndoKey();
  useTestImageOfRoute();
  return (
    <div class="view draw">
      <header class="view-head">
        <h1 tabIndex={-1}>Draw a digit</h1>
        <p>The network reads it while you draw.</p>
      </header>
      <section class="draw-area" aria-label="Drawing">
        <Surface />
        <Tools />
        <p class="draw-note" role="status">
          {pictureProblem.value ?? nameOfPicture()}
        </p>
      </section>
      <Answer />
    </div>
  );
}

function Tools() {
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
      <FileButton />
      <button type="button" class="button" onClick={() => void showTestImage()}>
        <Icon name="sample" />
        Try a test image
      </button>
    </div>
  );
}

function FileButton() {
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
      <input
        ref={input}
        type="file"
        accept="image/*"
        aria-label="Picture of a digit"
        hidden
        onChange={choose}
      />
    </>
  );
}

function nameOfPicture(): string {
  const seen = sheet.value;
  if (seen.kind !== 'picture') return 'Or drop or paste a picture here.';
  const label = seen.label === null ? '' : `, labelled ${seen.label}`;
  return `This is ${seen.name}${label}. Draw over it to start anew.`;
}

function usePastedPictures(): void {
  useEffect(() => {
    const paste = (event: ClipboardEvent) => {
      const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith('image/'));
      if (file) void showFile(file);
    };
    document.addEventListener('paste', paste);
    return () => document.removeEventListener('paste', paste);
  }, []);
}

function useUndoKey(): void {
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

/** `#draw/test/INDEX` puts that image on the sheet: the models' misread digits link here. */
function useTestImageOfRoute(): void {
  const [kind, text] = route.value.rest;
  useEffect(() => {
    if (kind === 'test' && /^\d{1,4}$/.test(text ?? '')) void showTestImage(Number(text));
  }, [kind, text]);
}
