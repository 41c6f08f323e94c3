/** What is measured must be the same thing: the same network, the same images, and something learned from them. */

/** What every training program says of itself. */
export type Task = {
  readonly version: string; // of what computes, with its threads
  readonly parameters: number;
  readonly images: number; // to train on
  readonly sha256: string; // of the training pixels and labels as they were read
};

const parameters = 121_514;
const images = 60_000;

/** Throws when a program trains another network or other data than the first one did. */
export function expectSameTask(name: string, task: Task, first: Task): void {
  const expected = { parameters, images, sha256: first.sha256 };
  for (const key of ['parameters', 'images', 'sha256'] as const)
    if (task[key] !== expected[key])
      throw new Error(`${name} trains something else: expected ${key} ${expected[key]}, got ${task[key]}`);
}

/** Throws when an accuracy is not what this network gets on MNIST: above `least`, and less than all. */
export function expectAccuracy(name: string, accuracy: number, least: number): void {
  if (!(accuracy >= least && accuracy < 1))
    throw new Error(`${name} has not learned: expected an accuracy from ${least} to 1, got ${accuracy}`);
}
