/** Reads images that came as a tensor: no picture was decoded, so nothing is known of them but their pixels. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { imageSize } from '../data/dataset.ts';
import { rowOf } from '../training/softmax.ts';
import { answerFrom, type Reader } from './answer.ts';
import type { ImageTensor, TensorPrediction } from './messages.ts';

export type TensorAnswer = Pick<TensorPrediction, 'labels' | 'probabilities' | 'answers'>;

const mostAtOnce = 64; // images; more would hold up others for too long

/**
 * tensor [N × 784] → what each image shows. Other work goes on between two calls of `infer`.
 *
 * @throws what `infer` throws
 */
export async function answerTensor(
  tensor: ImageTensor,
  infer: (pixels: ImageTensor) => Float32Array,
  reader: Reader,
): Promise<TensorAnswer> {
  const images = tensor.length / imageSize;
  const { labels } = reader;
  const probabilities = new Float32Array(images * labels.length);
  const answers: TensorPrediction['answers'][number][] = [];
  for (let start = 0; start < images; start += mostAtOnce) {
    if (start > 0) await nextTurn();
    const count = Math.min(mostAtOnce, images - start);
    const logits = infer(tensor.subarray(start * imageSize, (start + count) * imageSize)); // [count × labels]
    for (let i = 0; i < count; i++) {
      const { label, verdict, probabilities: row } = answerFrom(rowOf(logits, labels.length, i), reader, []);
      probabilities.set(row, (start + i) * labels.length);
      answers.push({ label, verdict });
    }
  }
  return { labels, probabilities, answers };
}
