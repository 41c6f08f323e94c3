/** How fast a run goes and when it will end. */

/** An evaluated image costs about a third of a trained one: a forward pass without the two backward ones. */
const evaluationCost = 1 / 3;

export type Pace = {
  startEpoch(): void;
  trained(images: number): void;
  /** Images trained a second in this epoch so far, and the seconds that the whole run still needs. */
  estimate(epoch: number): { imagesPerSecond: number; etaSeconds: number };
};

type Size = { readonly epochs: number; readonly trainImages: number; readonly testImages: number };

export function createPace({ epochs, trainImages, testImages }: Size, now = () => performance.now()): Pace {
  let startedAt = now();
  let images = 0; // in this epoch

  return {
    startEpoch() {
      startedAt = now();
      images = 0;
    },
    trained(count) {
      images += count;
    },
    estimate(epoch) {
      const imagesPerSecond = images / Math.max((now() - startedAt) / 1000, 1e-9);
      const toTrain = (epochs - epoch + 1) * trainImages - images;
      const toEvaluate = (epochs - epoch + 1) * testImages;
      const etaSeconds = (toTrain + toEvaluate * evaluationCost) / Math.max(imagesPerSecond, 1e-9);
      return { imagesPerSecond, etaSeconds };
    },
  };
}
