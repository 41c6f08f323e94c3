/** Writes the answer of the Open Inference Protocol: JSON, and after it the bytes of the outputs that are wanted so. */
import { rowOf } from '../../model/training/softmax.ts';
import type { ReadImages } from './read-images.ts';
import type { InferRequest, WantedOutput } from './v2-request.ts';

export type InferAnswer = {
  readonly json: Buffer;
  readonly binary: Buffer | null; // null: all outputs are in the JSON
};

export type OutputTensor = { readonly shape: number[] } & (
  | { readonly datatype: 'FP32'; readonly values: Float32Array }
  | { readonly datatype: 'BYTES'; readonly values: readonly string[] }
);

export function writeInferAnswer(read: ReadImages, { id, outputs }: InferRequest): InferAnswer {
  const chunks: Buffer[] = [];
  const described = outputs.map((wanted) => {
    const tensor = tensorOf(read, wanted);
    const { name, isBinary } = wanted;
    const { datatype, shape, values } = tensor;
    if (!isBinary) return { name, datatype, shape, data: [...values] };
    const bytes = bytesOf(tensor);
    chunks.push(bytes);
    return { name, datatype, shape, parameters: { binary_data_size: bytes.byteLength } };
  });
  const { name, version } = read.model;
  const head = { model_name: name, model_version: String(version), ...(id !== undefined && { id }) };
  const json = Buffer.from(JSON.stringify({ ...head, outputs: described }));
  return { json, binary: chunks.length > 0 ? Buffer.concat(chunks) : null };
}

export function tensorOf(
  read: ReadImages,
  { name, classes }: Pick<WantedOutput, 'name' | 'classes'>,
): OutputTensor {
  const { answers, labels, probabilities } = read;
  if (name !== 'probabilities')
    return { datatype: 'BYTES', shape: [answers.length], values: answers.map((answer) => answer[name]) };
  if (classes === null)
    return { datatype: 'FP32', shape: [answers.length, labels.length], values: probabilities };
  const count = Math.min(classes, labels.length);
  const values = answers.flatMap((_, i) => classified(read, i).slice(0, count));
  return { datatype: 'BYTES', shape: [answers.length, count], values };
}

/** The classification extension: `value:index:label`, the likeliest first. */
function classified(read: ReadImages, image: number): string[] {
  const { labels } = read;
  const row = probabilitiesOf(read, image);
  const order = [...row.keys()].toSorted((a, b) => row[b]! - row[a]!);
  return order.map((i) => `${row[i]!}:${i}:${labels[i]!}`);
}

/** [labels] */
export function probabilitiesOf({ labels, probabilities }: ReadImages, image: number): Float32Array {
  return rowOf(probabilities, labels.length, image);
}

/** The values as the protocol has them in bytes. */
export function bytesOf({ datatype, values }: OutputTensor): Buffer {
  return datatype === 'FP32' ? bytesOfFloats(values) : bytesOfStrings(values);
}

/** Little-endian, as the machine is (lib/byte-order.ts). */
function bytesOfFloats(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

/** Each with its length before it, in four bytes, little-endian. */
function bytesOfStrings(values: readonly string[]): Buffer {
  return Buffer.concat(
    values.flatMap((value) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(Buffer.byteLength(value));
      return [length, Buffer.from(value)];
    }),
  );
}
