/** A body of 8 MiB may hold millions of elements. What is refused for its length is refused before each is looked at. */
import { expect, it } from 'vitest';
import { readClassify, readPredict } from '../../../src/routes/protocols/v1-request.ts';
import { checkInferRequest } from '../../../src/routes/protocols/v2-request.ts';

const many = 1_000_000;
const most = 1000; // reads of a list that are not one for each element

/** A long list, and how many of its elements were read. */
function watched(element: unknown) {
  const reads = { count: 0 };
  const list = new Proxy(Array(many).fill(element), {
    get: (target, key, receiver) => {
      if (typeof key === 'string' && /^\d+$/.test(key)) reads.count += 1;
      return Reflect.get(target, key, receiver);
    },
  });
  return { list, reads };
}

const infer = (body: unknown) => checkInferRequest(body, ({ data }) => ({ values: data }));
const input = { name: 'image', datatype: 'BYTES', shape: [1], data: [''] };
const places: readonly [string, (list: unknown) => unknown, (body: unknown) => unknown][] = [
  ['instances', (list) => ({ instances: list }), readPredict],
  ['inputs', (list) => ({ inputs: list }), readPredict],
  ['a named input', (list) => ({ inputs: { image: list } }), readPredict],
  ['examples', (list) => ({ examples: list }), readClassify],
  ['signature_name', (list) => ({ instances: [0], signature_name: list }), readPredict],
  ['the whole body of V1', (list) => list, readPredict],
  ['data', (list) => ({ inputs: [{ ...input, data: list }] }), infer],
  ['data that is nested', (list) => ({ inputs: [{ ...input, data: [list] }] }), infer],
  ['shape', (list) => ({ inputs: [{ ...input, shape: list }] }), infer],
  ['the inputs of V2', (list) => ({ inputs: list }), infer],
  ['an input of V2', (list) => ({ inputs: [list] }), infer],
  ['outputs', (list) => ({ inputs: [input], outputs: list }), infer],
  ['an id', (list) => ({ inputs: [input], id: list }), infer],
  ['the whole body of V2', (list) => list, infer],
];

it.each(places)('refuses a long list as %s without reading all of it', (_name, bodyWith, read) => {
  for (const element of [0, '', [], {}, { a: 0 }, [[0]]]) {
    const { list, reads } = watched(element);
    expect(() => read(bodyWith(list))).toThrow(/expected/);
    expect(reads.count).toBeLessThan(most);
  }
});
