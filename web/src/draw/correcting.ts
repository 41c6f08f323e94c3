/** What a person says that the drawing shows. It is forgotten when the drawing changes. */
import { effect, type ReadonlySignal, signal } from '@preact/signals';
import { addCorrection, type Correction } from '../../../src/client/index.ts';
import { outcomeOf, type Problem } from '../api/outcome.ts';
import type { App } from '../app-context.ts';
import { createDrawing } from './drawing.ts';
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
  const { sheet } = app.store(createDrawing);
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
      const outcome = await outcomeOf(addCorrection(app.api.client, image, label));
      if (sheet.peek() !== seen) return;
      said.value = outcome.ok
        ? { state: 'kept', correction: outcome.data }
        : { state: 'refused', problem: outcome.problem };
    },
  };
}
