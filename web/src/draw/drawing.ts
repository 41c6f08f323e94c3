/** The drawing and what the network reads in it. Both outlive the view. */
import { computed, effect, type ReadonlySignal, signal } from '@preact/signals';
import { predict } from '../../../src/client/index.ts';
import type { Api } from '../api/api.ts';
import type { App } from '../app-context.ts';
import { createChosenModel, modelQuery } from './chosen-model.ts';
import { type Mark, type Picture, type Point, type Sheet, sheetOf } from './marks.ts';
import { createReader, type Reading } from './reader.ts';
import { mostRows } from './rows.ts';
import { sendable } from './sheet-image.ts';

export type Drawing = {
  readonly marks: ReadonlySignal<readonly Mark[]>;
  readonly sheet: ReadonlySignal<Sheet>;
  readonly reading: ReadonlySignal<Reading>;
  /** Why a picture could not be put on the sheet. */
  readonly pictureProblem: ReadonlySignal<string | null>;
  readonly startStroke: (point: Point) => void;
  readonly continueStroke: (points: readonly Point[]) => void;
  readonly undo: () => void;
  readonly clear: () => void;
  readonly showFile: (file: File) => Promise<void>;
  /** Shows a test image by its number, or a random one; of the data set of the model unless another is named. */
  readonly showTestImage: (image?: TestImage) => Promise<void>;
};
type TestImage = { readonly dataset?: string | undefined; readonly index: number };

const maxMarks = 500;
const usualDataset = 'mnist'; // where no model is known yet

export function createDrawing(app: App): Drawing {
  const { api } = app;
  const { name: model, known } = app.store(createChosenModel);
  const marks = signal<readonly Mark[]>([]);
  const sheet = computed(() => sheetOf(marks.value));
  const pictureProblem = signal<string | null>(null);
  const reader = createReader((image, ended, { kind }) => {
    const keep = kind === 'picture' ? 'true' : 'false'; // a drawing is half done: what it shows is known once it is corrected
    const asked = { include: 'input', keep, top: mostRows, signal: ended } as const;
    return predict(api.client, image, { ...modelQuery(model.peek()), ...asked });
  });
  effect(() => {
    void model.value; // followed: another model reads anew
    reader.drop();
    reader.read(sheet.peek());
  });

  const change = (next: readonly Mark[]) => {
    const kept = next.slice(-maxMarks);
    for (const mark of marks.value) {
      if (mark.kind === 'picture' && !kept.includes(mark)) URL.revokeObjectURL(mark.url);
    }
    marks.value = kept;
    pictureProblem.value = null;
    reader.read(sheet.value);
  };
  const place = (picture: Omit<Picture, 'kind' | 'url'>) => {
    change([...marks.value, { kind: 'picture', url: URL.createObjectURL(picture.image), ...picture }]);
  };
  return {
    marks,
    sheet,
    reading: reader.reading,
    pictureProblem,
    startStroke: (point) => change([...marks.value, { kind: 'stroke', points: [point] }]),
    continueStroke: (points) => {
      const last = marks.value.at(-1);
      if (last?.kind !== 'stroke') return;
      change([...marks.value.slice(0, -1), { kind: 'stroke', points: [...last.points, ...points] }]);
    },
    undo: () => change(marks.value.slice(0, -1)),
    clear: () => {
      if (sheet.value.kind !== 'empty') change([...marks.value, { kind: 'blank' }]);
    },
    showFile: async (file) => {
      const image = await sendable(file);
      if (image) return place({ name: file.name || 'pasted picture', image, label: null });
      pictureProblem.value = `“${file.name}” is no picture that this browser can open; choose a PNG or a JPEG.`;
    },
    showTestImage: async (wanted) => {
      const dataset = wanted?.dataset ?? known.value?.dataset ?? usualDataset;
      const index = wanted?.index ?? (await randomIndex(api, dataset));
      const picture = typeof index === 'string' ? index : await readTestImage(api, dataset, index);
      if (typeof picture === 'string') pictureProblem.value = picture;
      else place(picture);
    },
  };
}

/** Resolves with a message when there is no such image. */
async function readTestImage(
  { client, ask }: Api,
  dataset: string,
  index: number,
): Promise<Omit<Picture, 'kind' | 'url'> | string> {
  const path = { name: dataset, index: String(index) };
  const call = client.GET('/datasets/{name}/test/{index}.png', { params: { path }, parseAs: 'blob' });
  const outcome = await ask(call);
  if (!outcome.ok) return `Test image ${index} could not be fetched: ${outcome.problem.detail}`;
  const label = (await call).response.headers.get('x-label');
  return { name: `test image ${index}`, image: outcome.data, label: label && decodeURIComponent(label) };
}

/** Resolves with a message where the data set can't be read, such as one that was deleted. */
async function randomIndex({ client, ask }: Api, name: string): Promise<number | string> {
  const outcome = await ask(client.GET('/datasets/{name}', { params: { path: { name } } }));
  if (!outcome.ok) return `No test image could be fetched: ${outcome.problem.detail}`;
  return Math.floor(Math.random() * (outcome.data.counts?.test.count ?? 1));
}
