/** What a person says that the drawing shows. It is forgotten when the drawing changes. */
import { effect, type ReadonlySignal, signal } from '@preact/signals';
import { addCorrection, type Correction } from '../../../src/client/index.ts';
import { outcomeOf, type Problem } from '../api/outcome.ts';
import type { App } from '../app-context.ts';
import { createDrawing } from './drawing.ts';
import type { Reading } from './reader.ts';
import { imageOf } from './sheet-image.ts';

export type Said =
  | { readonly state: 'nothing' | 'sending' }
  | { readonly state: 'kept'; readonly correction: Correction }
  | { readonly state: 'refused'; readonly problem: Problem };

export type Correcting = {
  readonly said: ReadonlySignal<Said>;
  /** `label` null: none of the labels. */
  readonly say: (label: string | null) => Promise<void>;
};

export function createCorrecting(app: App): Correcting {
  const { sheet, reading } = app.store(createDrawing);
  const said = signal<Said>({ state: 'nothing' });
  effect(() => {
    void sheet.value; // followed
    said.value = { state: 'nothing' };
  });
  return {
    said,
    say: async (label) => {
      const seen = sheet.peek();
      const image = await imageOf(seen);
      if (image === null) return;
      said.value = { state: 'sending' };
      const outcome = await outcomeOf(addCorrection(app.api.client, image, label, modelOf(reading.peek())));
      if (sheet.peek() !== seen) return;
      said.value = outcome.ok
        ? { state: 'kept', correction: outcome.data }
        : { state: 'refused', problem: outcome.problem };
    },
  };
}

/** The model whose answer is corrected. */
function modelOf(now: Reading): string | undefined {
  return now.state === 'read' ? now.prediction.model.name : undefined;
}
