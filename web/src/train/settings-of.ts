/** What a job was asked to do, in two lines. */
import type { Job } from '../../../src/client/index.ts';
import { count, shortSha256 } from '../ui/format.ts';

type Asked = Pick<Job, 'request' | 'datasetSha256'>;

/** "Model letters, from data set letters by network article" */
export function subjectOf({ request: { model, dataset, network }, datasetSha256 }: Asked): string {
  const layers = typeof network === 'string' ? network : `of ${network.layers.length + 1} layers`;
  const pictures = datasetSha256 === undefined ? '' : ` (SHA-256 ${shortSha256(datasetSha256)})`;
  return `Model ${model}, from data set ${dataset}${pictures} by network ${layers}`;
}

/** "Up to 12 epochs of 80 passes through all images, batches of 32, learning rate 0.002, seed 1, ends after 4 epochs without a gain" */
export function settingsOf({ request }: Asked): string {
  const { epochs, passes, patience, batchSize, learningRate, trainImages, seed } = request;
  const images = trainImages === null ? 'all images' : many(trainImages, 'image');
  const through = passes === 1 ? images : `${passes} passes through ${images}`;
  const length = `${patience === null ? '' : 'up to '}${many(epochs, 'epoch')} of ${through}`;
  const end = patience === null ? '' : `, ends after ${many(patience, 'epoch')} without a gain`;
  return `${length}, batches of ${batchSize}, learning rate ${learningRate}, seed ${seed}${end}`;
}

function many(number: number, unit: string): string {
  return `${count(number)} ${unit}${number === 1 ? '' : 's'}`;
}
