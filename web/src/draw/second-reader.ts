/** A second version that reads the drawing beside the champion, while it is wanted. */
import { effect, signal } from '@preact/signals';
import { predict } from '../../../src/client/index.ts';
import type { App } from '../app-context.ts';
import { createChosenModel } from './chosen-model.ts';
import { createDrawing } from './drawing.ts';
import { createReader } from './reader.ts';
import { mostRows } from './rows.ts';

export function createSecondReader(app: App) {
  const { sheet } = app.store(createDrawing);
  const { name } = app.store(createChosenModel);
  const isWanted = signal(false);
  const version = signal<number | null>(null); // null: none is chosen yet
  const { reading, read, drop } = createReader((image, ended) =>
    predict(app.api.client, image, {
      version: version.peek()!,
      keep: 'false',
      top: mostRows,
      signal: ended,
    }),
  );
  effect(() => {
    void name.value; // followed: a version of the model that is chosen comes first
    version.value = null;
  });
  effect(() => {
    if (isWanted.value && version.value !== null) read(sheet.value);
    else drop();
  });
  return {
    isWanted,
    version,
    reading,
    choose: (chosen: number) => {
      if (chosen === version.value) return;
      drop(); // the answer of the version before
      version.value = chosen;
    },
  };
}
