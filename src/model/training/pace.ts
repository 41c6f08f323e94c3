/** How fast a run goes and when it will end. */

/** An evaluated image costs about a third of a trained one: a forward pass without the two backward ones. */
const evaluationCost = 1 / 3;

export type Pace = {
  /** `images`: those of the epoch that an earlier attempt has trained. */
  startEpoch(images: number): void;
  trained(images: number): void;
  /** Images trained a second in this epoch so far, and the seconds that the whole run still needs. */
  estimate(epoch: number): { imagesPerSecond: number; etaSeconds: number };
};

type Size = { readonly epochs: number; readonly trainImages: number; readonly testImages: number };

export function createPace({ epochs, trainImages, testImages }: Size, now = () => performance.now()): Pace {
  let startedAt = now();
  let before = 0; // images of this epoch when it was started or resumed
  let images = 0; // since then

  return {
    startEpoch(trainedBefore) {
      startedAt = now();
      before = trainedBefore;
      images = 0;
    },
    trained(count) {
      images += count;
    },
    estimate(epoch) {
      const imagesPerSecond = images / Math.max((now() - startedAt) / 1000, 1e-9);
      const toTrain = (epochs - epoch + 1) * trainImages - before - images;
      const toEvaluate = (epochs - epoch + 1) * testImages;
      const etaSeconds = (toTrain + toEvaluate * evaluationCost) / Math.max(imagesPerSecond, 1e-9);
      return { imagesPerSecond, etaSeconds };
    },
  };
}
