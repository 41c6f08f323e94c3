/** What is on the drawing area and what the network reads in it. Both stay while other views are open. */
import { computed, signal } from '@preact/signals';
import { ask, client, type Prediction } from '../api/client.ts';
import { isAbsence, type Problem } from '../api/outcome.ts';
import { createLatest } from './latest.ts';
import { type Mark, type Picture, type Point, type Sheet, sheetOf } from './marks.ts';
import { imageOf, sendable } from './sheet-image.ts';

export type Reading =
  | { readonly state: 'empty' }
  | { readonly state: 'first' } // under way, and nothing is known yet
  | { readonly state: 'read'; readonly prediction: Prediction; readonly roundTripMs: number }
  | { readonly state: 'problem'; readonly problem: Problem };

export const marks = signal<readonly Mark[]>([]);
export const sheet = computed(() => sheetOf(marks.value));
export const reading = signal<Reading>({ state: 'empty' });
/** Why a picture could not be put on the sheet. */
export const pictureProblem = signal<string | null>(null);

const mostMarks = 500;
const noModelAgainMs = 5000; // a first training takes longer than a moment
const reader = createLatest<Sheet>(read);

export function startStroke(point: Point): void {
  change([...marks.value, { kind: 'stroke', points: [point] }]);
}

export function continueStroke(points: readonly Point[]): void {
  const last = marks.value.at(-1);
  if (last?.kind !== 'stroke') return;
  change([...marks.value.slice(0, -1), { kind: 'stroke', points: [...last.points, ...points] }]);
}

export function undo(): void {
  change(marks.value.slice(0, -1));
}

export function clear(): void {
  if (sheet.value.kind !== 'empty') change([...marks.value, { kind: 'blank' }]);
}

export async function showFile(file: File): Promise<void> {
  const image = await sendable(file);
  if (image) return place({ name: file.name || 'pasted picture', image, label: null });
  pictureProblem.value = `“${file.name}” is no picture that this browser can open; choose a PNG or a JPEG.`;
}

/** One of the test images, by its number, or any. */
export async function showTestImage(index = Math.floor(Math.random() * 10_000)): Promise<void> {
  const outcome = await ask(
    client.GET('/datasets/{name}/test/{index}.png', {
      params: { path: { name: 'mnist', index: String(index) } },
      parseAs: 'blob',
    }),
  );
  if (!outcome.ok) {
    pictureProblem.value = `Test image ${index} could not be fetched: ${outcome.problem.detail}`;
    return;
  }
  const label = Number(outcome.response.headers.get('x-label') ?? Number.NaN);
  place({
    name: `test image ${index}`,
    image: outcome.data,
    label: Number.isNaN(label) ? null : label,
  });
}

function place(picture: Omit<Picture, 'kind' | 'url'>): void {
  change([...marks.value, { kind: 'picture', url: URL.createObjectURL(picture.image), ...picture }]);
}

function change(next: readonly Mark[]): void {
  const kept = next.slice(-mostMarks);
  for (const mark of marks.value) {
    if (mark.kind === 'picture' && !kept.includes(mark)) URL.revokeObjectURL(mark.url);
  }
  marks.value = kept;
  pictureProblem.value = null;
  if (sheet.value.kind === 'empty') {
    reader.drop();
    reading.value = { state: 'empty' };
    return;
  }
  if (reading.value.state === 'empty') reading.value = { state: 'first' };
  reader.submit(sheet.value);
}

async function read(seen: Sheet, ended: AbortSignal): Promise<number | null> {
  const image = await imageOf(seen);
  if (image === null || ended.aborted) return null;
  const startedAt = performance.now();
  const outcome = await ask(
    client.POST('/predict', {
      params: { query: { include: 'input' } },
      body: image as never,
      bodySerializer: (body: unknown) => body as Blob,
      headers: { 'content-type': image.type },
      signal: ended,
    }),
  );
  if (ended.aborted) return null;
  if (outcome.ok) {
    const prediction = outcome.data as Prediction; // one image, one answer
    reading.value = { state: 'read', prediction, roundTripMs: performance.now() - startedAt };
    return null;
  }
  reading.value = { state: 'problem', problem: outcome.problem };
  return retryAfterMs(outcome.problem);
}

/** States that pass are asked about again; what is wrong with the picture stays wrong. */
function retryAfterMs(problem: Problem): number | null {
  if (problem.code === 'NO_MODEL') return noModelAgainMs;
  const passes = problem.status === 503 || isAbsence(problem);
  return passes ? 1000 * (problem.retryAfterSeconds ?? 1) : null;
}
