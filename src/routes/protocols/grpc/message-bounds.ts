/**
 * Bounds what a message may become, before it is decoded: two bytes on the wire can be an object of a hundred bytes, so that
 * a message of the largest size could take gigabytes.
 */
import protobuf from 'protobufjs/light.js';
import { imageSize } from '../../../model/data/dataset.ts';
import { invalid } from '../protocol-scope.ts';
import { mostTensorImages } from '../read-images.ts';

/** By number, the fields that are messages, those that are numbers of images, and those that are few numbers. */
type MessageShape = { readonly [field: number]: MessageShape | 'greys' | 'few' };

const parameters: MessageShape = { 2: {} }; // the entry of a map: key and value
/** This is the shape of ModelInferRequest in inference.proto. */
export const inferRequestShape: MessageShape = {
  4: parameters,
  5: { 3: 'few', 4: parameters, 5: { 4: 'greys', 6: 'greys' } },
  6: { 2: parameters },
};

const mostFields = 1000; // all entries of repeated fields
const mostGreyBytes = mostTensorImages * imageSize * 5; // an integer has at most five bytes, a float four
const lengthDelimited = 2; // https://protobuf.dev/programming-guides/encoding

type Left = { fields: number; greyBytes: number };

/** @throws HttpProblem 400 for more than any request needs, RangeError for bytes that are no message */
export function expectBounded(bytes: Uint8Array, shape: MessageShape): void {
  const reader = protobuf.Reader.create(bytes);
  measure(reader, bytes.byteLength, shape, { fields: mostFields, greyBytes: mostGreyBytes });
}

function measure(reader: protobuf.Reader, end: number, shape: MessageShape, left: Left): void {
  while (reader.pos < end) {
    const tag = reader.uint32();
    take(left, 1);
    const wireType = tag & 7;
    const inside = shape[tag >>> 3];
    if (wireType !== lengthDelimited || inside === undefined) {
      reader.skipType(wireType);
      continue;
    }
    const length = reader.uint32();
    if (typeof inside === 'object') {
      measure(reader, reader.pos + length, inside, left);
      continue;
    }
    if (inside === 'few') take(left, length);
    else takeGreys(left, length);
    reader.skip(length);
  }
}

function take(left: Left, fields: number): void {
  left.fields -= fields;
  if (left.fields >= 0) return;
  throw invalid(
    `expected at most ${mostFields} fields and dimensions in a message, numbers packed, got more; send the images in raw_input_contents`,
  );
}

function takeGreys(left: Left, bytes: number): void {
  left.greyBytes -= bytes;
  if (left.greyBytes >= 0) return;
  throw invalid(
    `expected the numbers of at most ${mostTensorImages} images (${mostGreyBytes} bytes), got more; send fewer images`,
  );
}
