/** Reads and writes the messages of ModelInfer. What is checked, and what is answered, is as over REST. */

import { invalid } from '../protocol-scope.ts';
import type { ReadImages } from '../read-images.ts';
import { bytesOf, type OutputTensor, tensorOf } from '../v2-answer.ts';
import { checkInferRequest, type InferRequest, type InputData, sharedMemory } from '../v2-request.ts';
import type { Contents, InferAnswerMessage, InferInput, InferMessage, WantedTensor } from './messages.ts';

/** @throws HttpProblem 400 */
export function readInferMessage(message: InferMessage): InferRequest {
  const { id, inputs, outputs } = message;
  const body = {
    ...(id !== '' && { id }),
    inputs: inputs.map(({ name, datatype, shape, parameters }) => ({
      name,
      datatype,
      shape,
      parameters: sharedMemoryOf(parameters),
    })),
    outputs: outputs.map((output) => ({ name: output.name, parameters: parametersOf(output) })),
  };
  return checkInferRequest(body, ({ datatype }) => dataOf(message, datatype));
}

/** Only `classification` counts. The answer is in bytes where the request is. */
function parametersOf({ parameters }: WantedTensor): object {
  const shared = sharedMemoryOf(parameters);
  if (!Object.hasOwn(parameters, 'classification')) return shared;
  const { classification } = parameters;
  return { ...shared, classification: classification?.[classification.parameter_choice ?? ''] ?? null };
}

/** The parameters for which a request is refused. */
function sharedMemoryOf(parameters: InferInput['parameters']): object {
  const names = Object.keys(parameters).filter((name) => sharedMemory.includes(name));
  return Object.fromEntries(names.map((name) => [name, true]));
}

function dataOf({ inputs, raw_input_contents: raw }: InferMessage, datatype: string): InputData {
  const contents = inputs[0]?.contents ?? null;
  if (raw.length > 1)
    throw invalid(`expected one entry of raw_input_contents, for the one input, got ${raw.length}`);
  const [bytes] = raw;
  if (bytes === undefined) return contentsOf(contents, datatype);
  if (contents !== null) throw invalid('expected either contents or raw_input_contents, got both');
  return { bytes };
}

function contentsOf(contents: Contents | null, datatype: InferInput['datatype']): InputData {
  if (contents === null) throw invalid('expected contents or raw_input_contents, got neither');
  const { uint_contents, fp32_contents, bytes_contents = [] } = contents;
  if (datatype === 'BYTES') return { elements: bytes_contents };
  return datatype === 'FP32'
    ? { values: fp32_contents ?? [], where: ' in fp32_contents' }
    : { values: uint_contents ?? [], where: ' in uint_contents' };
}

/** `inBytes`: as raw_output_contents, which holds for all outputs or for none. */
export function writeInferMessage(
  read: ReadImages,
  { id = '', outputs }: InferRequest,
  inBytes: boolean,
): InferAnswerMessage {
  const tensors = outputs.map((wanted) => ({ name: wanted.name, tensor: tensorOf(read, wanted) }));
  return {
    model_name: read.model.name,
    model_version: String(read.model.version),
    id,
    outputs: tensors.map(({ name, tensor }) => ({
      name,
      datatype: tensor.datatype,
      shape: tensor.shape,
      ...(!inBytes && { contents: typedContents(tensor) }),
    })),
    raw_output_contents: inBytes ? tensors.map(({ tensor }) => bytesOf(tensor)) : [],
  };
}

function typedContents({ datatype, values }: OutputTensor): Contents {
  if (datatype === 'FP32') return { fp32_contents: [...values] };
  return { bytes_contents: values.map((value) => Buffer.from(value)) };
}
