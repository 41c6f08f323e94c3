/** Measures how many images a run trains per second, and estimates when the run will end. */

/** Evaluating an image costs about a third of training on it: a forward pass without the two backward passes. */
export const evaluationCost = 1 / 3;

export type ThroughputMeter = {
  /** `images`: how many images of this epoch an earlier attempt has trained. */
  startEpoch(images: number): void;
  count(images: number): void;
  /** Images per second in this epoch so far, and the seconds that the whole run still needs. */
  estimate(epoch: number): { imagesPerSecond: number; etaSeconds: number };
};

type RunSize = { readonly epochs: number; readonly trainImages: number; readonly testImages: number };

export function createThroughputMeter(
  { epochs, trainImages, testImages }: RunSize,
  now = () => performance.now(),
): ThroughputMeter {
  let startedAt = now();
  let before = 0; // images of this epoch when it was started or resumed
  let images = 0; // since then

  return {
    startEpoch(trainedBefore) {
      startedAt = now();
      before = trainedBefore;
      images = 0;
    },
    count(trained) {
      images += trained;
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
