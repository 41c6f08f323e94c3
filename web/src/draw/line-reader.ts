/** Reads the drawing as a line of characters, while that is wanted. */
import { effect, signal } from '@preact/signals';
import { type LinePrediction, predictLine } from '../../../src/client/index.ts';
import type { App } from '../app-context.ts';
import { createChosenModel, modelQuery } from './chosen-model.ts';
import { createDrawing } from './drawing.ts';
import { createReader } from './reader.ts';

/** A line that was read, and the size of the picture that its boxes lie in, in pixels. */
export type ReadLine = LinePrediction & { readonly width: number; readonly height: number };

export function createLineReader(app: App) {
  const { sheet } = app.store(createDrawing);
  const { name, subject } = app.store(createChosenModel);
  const isWanted = signal(false);
  const { reading, read, drop } = createReader<ReadLine>(async (image, ended) => {
    const [line, size] = await Promise.all([
      predictLine(app.api.client, image, { ...modelQuery(name.peek()), signal: ended }),
      sizeOf(image),
    ]);
    return { ...line, ...size };
  });
  let readBy = name.peek();
  effect(() => {
    if (name.value !== readBy) {
      readBy = name.value;
      drop(); // the answer of the model before
    }
    if (isWanted.value && subject.value !== 'picture') read(sheet.value);
    else drop();
  });
  return { isWanted, reading };
}

async function sizeOf(image: Blob): Promise<{ width: number; height: number }> {
  const bitmap = await createImageBitmap(image);
  const { width, height } = bitmap;
  bitmap.close();
  return { width, height };
}
