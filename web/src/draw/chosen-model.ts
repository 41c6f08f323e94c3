/** The model that is to answer. The address names it, so that it outlives the page. */
import { computed, effect, type ReadonlySignal, signal } from '@preact/signals';
import type { RegisteredModel } from '../../../src/client/index.ts';
import type { App } from '../app-context.ts';
import { createRegistry, modelNamed } from '../models/registry.ts';
import { pairsOf } from '../route.ts';
import { areDigits, digitLabels } from '../ui/labels.ts';

export type ChosenModel = {
  /** null: the one that the server takes when a request names none. */
  readonly name: ReadonlySignal<string | null>;
  /** What is known of it; undefined until the models are read, and where there is no such model. */
  readonly known: ReadonlySignal<RegisteredModel | undefined>;
  readonly subject: ReadonlySignal<Subject>;
  /** The labels of any model; those of digits until the models are read, as the first model has them. */
  readonly labelsOf: (model: string | null) => readonly string[];
};

/** What the model reads, for the words of the view. */
export type Subject = 'digit' | 'ink' | 'picture';

export function createChosenModel(app: App): ChosenModel {
  const { models } = app.store(createRegistry);
  const name = signal<string | null>(null);
  effect(() => {
    const { view } = app.route.value;
    const { model = null, test } = pairsOf(app.route.value);
    if (view !== 'draw') return;
    if (model !== null || test !== undefined) name.value = model;
    else if (name.peek() !== null) history.replaceState(null, '', hashOf(name.peek()!)); // came back by "Draw"
  });
  const known = computed(() => modelNamed(models.value, name.value));
  const labelsOf = (model: string | null) => modelNamed(models.value, model)?.labels ?? digitLabels;
  const subject = computed((): Subject => {
    if (known.value?.form === 'picture') return 'picture';
    return areDigits(labelsOf(name.value)) ? 'digit' : 'ink';
  });
  return { name, known, subject, labelsOf };
}

export function hashOf(model: string): string {
  return `#draw/model/${encodeURIComponent(model)}`;
}

/** The model as it goes into a query. */
export function modelQuery(name: string | null): { readonly model?: string } {
  return name === null ? {} : { model: name };
}
