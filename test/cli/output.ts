/** What is shown of a run, and where it is written: a terminal or a pipe. */
export const progress = {
  epoch: 1,
  epochs: 2,
  step: 628,
  steps: 1876,
  fraction: 628 / 1876,
  loss: 0.52134,
  imagesPerSecond: 1899.6,
  etaSeconds: 41.2,
};

export function collector(terminal?: { isTTY: true; columns: number }) {
  const written: string[] = [];
  return { written, write: (text: string) => written.push(text) > 0, ...terminal };
}
