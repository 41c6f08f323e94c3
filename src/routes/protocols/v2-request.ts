/**
 * Reads an inference request of the Open Inference Protocol (KServe V2) with its binary tensor extension: JSON, and after
 * it the bytes of the inputs that have `binary_data_size` in place of `data`.
 */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { startOfText } from '../../lib/start-of-text.ts';
import { imageSide, imageSize } from '../../model/data/dataset.ts';
import { decodeBase64 } from '../http/image-body.ts';
import { HttpProblem, invalidProblem } from '../http/problem.ts';
import { greysFromBytes, greysFromJson } from './numbers.ts';
import { invalid, parseProtocolJson } from './protocol-scope.ts';
import { mostPictures, mostTensorImages, type RequestedImages } from './read-images.ts';

export const outputNames = ['probabilities', 'label', 'verdict'] as const;
export type OutputName = (typeof outputNames)[number];

const flag = z.boolean({ error: 'expected true or false' }).exactOptional();

/** Refuses a long list before zod looks at its elements, of which a body may have millions; zod counts them afterwards. */
function shortList<Item extends z.ZodType>(item: Item, most: number) {
  return z.preprocess((given, context) => {
    if (!Array.isArray(given) || given.length <= most) return given;
    context.addIssue({ code: 'custom', message: `expected at most ${most} entries` });
    return z.NEVER;
  }, z.array(item));
}

/** `data` is read without zod, for the same reason. */
const inputSchema = z.object({
  name: z.string().min(1).max(200),
  datatype: z.enum(['FP32', 'UINT8', 'BYTES']),
  shape: shortList(z.int().min(0), 4).refine((shape) => shape.length > 0, 'expected at least one dimension'),
  parameters: z.object({ binary_data_size: z.int().min(0).exactOptional() }).default({}),
  data: z.unknown().exactOptional(),
});

const outputSchema = z.object({
  name: z.enum(outputNames),
  parameters: z.object({ binary_data: flag, classification: z.int().min(1).exactOptional() }).default({}),
});

export const inferSchema = z
  .object({
    id: z.string().max(1000).exactOptional(),
    parameters: z.object({ binary_data_output: flag }).default({}),
    inputs: z.tuple([inputSchema], { error: 'expected one input: the images' }),
    outputs: shortList(outputSchema, outputNames.length).default([]).describe('None: all of them'),
  })
  .meta({ id: 'InferRequest' });

export type WantedOutput = {
  readonly name: OutputName;
  readonly isBinary: boolean;
  readonly classes: number | null; // of the classification extension; null: the values themselves
};

export type InferRequest = {
  readonly id: string | undefined;
  readonly images: RequestedImages;
  readonly outputs: readonly WantedOutput[];
};

/** The values of an input, in the form in which they came. */
export type InputData =
  | { readonly bytes: Buffer }
  | { readonly elements: readonly Buffer[] } // pictures
  | { readonly values: unknown; readonly where?: string }; // the message of an error ends with `where`

/** Over REST. @throws HttpProblem 400, or 413 */
export function readInferRequest(request: FastifyRequest): InferRequest {
  const { json, binary } = splitBody(request);
  return checkInferRequest(parseHead(json, binary !== null), (input) => dataOf(input, binary));
}

function parseHead(json: Buffer, hasLength: boolean): unknown {
  try {
    return parseProtocolJson(json);
  } catch (error) {
    const isNoJson = error instanceof HttpProblem && error.options.code === 'JSON_INVALID';
    if (!isNoJson || hasLength) throw error;
    const detail = `${error.message}; where binary data follow the JSON, the header Inference-Header-Content-Length says how many bytes the JSON has`;
    throw new HttpProblem({ ...error.options, detail });
  }
}

/**
 * Checks a request, in whatever way it came.
 *
 * @param dataOfInput gives the values of its input
 * @throws HttpProblem 400
 */
export function checkInferRequest(body: unknown, dataOfInput: (input: Input) => InputData): InferRequest {
  const { data: parsed, error } = inferSchema.safeParse(body ?? {});
  if (error) throw new HttpProblem(invalidProblem('body', error.issues, null, body));
  refuseSharedMemory(body as Tensors);
  const [input] = parsed.inputs;
  return {
    id: parsed.id,
    images: readInput(input, dataOfInput(input)),
    outputs: wantedOutputs(parsed.outputs, parsed.parameters.binary_data_output ?? false),
  };
}

/** Parameters of Triton's extension for shared memory. */
export const sharedMemory = ['shared_memory_region', 'shared_memory_offset', 'shared_memory_byte_size'];

/** The request has passed its schema. */
type Tensors = Readonly<
  Record<'inputs' | 'outputs', readonly { readonly parameters?: object }[] | undefined>
>;

/** Were they ignored, a client would read its answer from memory that nobody has written. */
function refuseSharedMemory({ inputs = [], outputs = [] }: Tensors): void {
  for (const { parameters = {} } of [...inputs, ...outputs]) {
    const name = sharedMemory.find((each) => Object.hasOwn(parameters, each));
    if (name === undefined) continue;
    throw invalid(
      `expected the data of inputs in the request, and outputs to be sent, got ${name}; shared memory is not offered`,
    );
  }
}

const lengthHeader = 'inference-header-content-length';

function splitBody({ headers, body }: FastifyRequest): { json: Buffer; binary: Buffer | null } {
  const whole = (body as Buffer | undefined) ?? Buffer.alloc(0);
  const header = headers[lengthHeader];
  if (header === undefined) return { json: whole, binary: null };
  const length = /^\d{1,10}$/.test(String(header)) ? Number(header) : Number.NaN;
  if (length <= whole.byteLength) return { json: whole.subarray(0, length), binary: whole.subarray(length) };
  const came = startOfText(String(header), 40);
  throw invalid(
    `expected Inference-Header-Content-Length to be the number of bytes of the JSON, at most the ${whole.byteLength} of the body, got ${came}`,
  );
}

type Input = z.output<typeof inputSchema>;

/** The input's bytes after the JSON, or its `data`. */
function dataOf({ data, parameters: { binary_data_size: size } }: Input, binary: Buffer | null): InputData {
  if (size === undefined) {
    if (binary && binary.byteLength > 0)
      throw invalid(`expected no bytes after the JSON without binary_data_size, got ${binary.byteLength}`);
    if (data !== undefined) return { values: data };
    throw invalid('expected data, or parameters.binary_data_size and bytes after the JSON, got neither');
  }
  if (data !== undefined) throw invalid('expected either data or binary_data_size, got both');
  if (!binary)
    throw invalid(
      'expected the header Inference-Header-Content-Length beside binary_data_size: the number of bytes of the JSON, after which the binary data begin',
    );
  if (binary.byteLength === size) return { bytes: binary };
  throw invalid(`expected ${size} bytes after the JSON, as binary_data_size says, got ${binary.byteLength}`);
}

function readInput({ datatype, shape }: Input, data: InputData): RequestedImages {
  if (datatype === 'BYTES')
    return { pictures: readPictures(data, countOf(shape, [[], [1]], mostPictures, datatype)) };
  const forms = [[imageSide, imageSide, 1], [imageSize], [imageSide, imageSide]];
  const count = countOf(shape, forms, mostTensorImages, datatype);
  if ('bytes' in data) return { tensor: greysFromBytes(data.bytes, count, datatype) };
  if ('elements' in data) return { tensor: greysFromJson(data.elements, count, datatype) };
  return { tensor: greysFromJson(data.values, count, datatype, data.where) };
}

function readPictures(data: InputData, count: number): readonly Buffer[] {
  if ('bytes' in data) return picturesFromBytes(data.bytes, count);
  if ('values' in data) return picturesFromJson(data.values, count);
  if (data.elements.length === count) return data.elements;
  throw invalid(`expected ${count} BYTES elements, as shape says, got ${data.elements.length}`);
}

/** The first of the dimensions; the others must be one of `forms`. */
function countOf(
  shape: readonly number[],
  forms: readonly number[][],
  most: number,
  datatype: string,
): number {
  const [count, ...rest] = shape;
  const fits = forms.some((form) => form.length === rest.length && form.every((size, i) => size === rest[i]));
  if (fits && count! >= 1 && count! <= most) return count!;
  const allowed = forms.map((form) => `[${['N', ...form].join(', ')}]`).join(' or ');
  throw invalid(
    `expected the shape ${allowed} for ${datatype}, N from 1 to ${most}, got [${shape.join(', ')}]`,
  );
}

/** Each has its length before it, in four bytes, little-endian. */
function picturesFromBytes(bytes: Buffer, count: number): Buffer[] {
  const pictures: Buffer[] = [];
  let at = 0;
  while (at < bytes.byteLength && pictures.length < count) {
    const length = at + 4 <= bytes.byteLength ? bytes.readUInt32LE(at) : Number.NaN;
    const end = at + 4 + length;
    if (!(end <= bytes.byteLength)) throw invalid(cutOff(pictures.length, length, bytes.byteLength - at - 4));
    pictures.push(bytes.subarray(at + 4, end));
    at = end;
  }
  if (pictures.length < count)
    throw invalid(`expected ${count} BYTES elements, as shape says, got ${pictures.length}`);
  if (at < bytes.byteLength)
    throw invalid(
      `expected ${count} BYTES elements and no more, got ${bytes.byteLength - at} bytes after them`,
    );
  return pictures;
}

function cutOff(index: number, length: number, left: number): string {
  if (Number.isNaN(length))
    return `expected four bytes of length before BYTES element ${index}, got ${left + 4}`;
  return `expected ${length} bytes of BYTES element ${index}, as its length says, got ${left}`;
}

function picturesFromJson(data: unknown, count: number): Buffer[] {
  const rows = Array.isArray(data) ? (data as unknown[]) : [];
  const lengths = rows.slice(0, count).map((row) => (Array.isArray(row) ? row.length : 1));
  const length = Math.max(
    rows.length,
    lengths.reduce((sum, each) => sum + each, 0),
  );
  if (length !== count) throw invalid(`expected data to be an array of ${count} strings, got ${length}`);
  const texts = rows.flat();
  return texts.map((text, i) => pictureFromText(text, `element ${i} of data`));
}

/** @throws HttpProblem 400 for what is no base64 */
export function pictureFromText(text: unknown, where: string): Buffer {
  const picture = typeof text === 'string' ? decodeBase64(text) : null;
  if (picture) return picture;
  throw invalid(
    `expected ${where} to be a picture as base64, got ${typeof text === 'string' ? 'other text' : typeof text}`,
  );
}

function wantedOutputs(
  outputs: readonly z.output<typeof outputSchema>[],
  allBinary: boolean,
): WantedOutput[] {
  if (outputs.length === 0) return outputNames.map((name) => ({ name, isBinary: allBinary, classes: null }));
  const names = outputs.map(({ name }) => name);
  if (new Set(names).size < names.length) throw invalid(`expected each output once, got ${names.join(', ')}`);
  return outputs.map(({ name, parameters: { binary_data, classification } }) => {
    if (classification !== undefined && name !== 'probabilities')
      throw invalid(`expected classification with the output probabilities only, got it with ${name}`);
    return { name, isBinary: binary_data ?? allBinary, classes: classification ?? null };
  });
}
