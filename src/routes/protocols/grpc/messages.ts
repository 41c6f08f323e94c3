/** The messages of inference.proto and health.proto as this program has them, and the definitions of their services. */
import { fileURLToPath } from 'node:url';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { messageOf } from '../../../lib/errors.ts';
import { HttpProblem } from '../../http/problem.ts';
import { invalid } from '../protocol-scope.ts';
import { expectBounded, inferRequestShape } from './message-bounds.ts';

export type ModelRequest = { readonly name: string; readonly version: string };

export type Parameter = { readonly parameter_choice?: 'bool_param' | 'int64_param' | 'string_param' } & {
  readonly [value: string]: unknown;
};

export type Contents = {
  readonly uint_contents?: readonly number[];
  readonly fp32_contents?: readonly number[];
  readonly bytes_contents?: readonly Buffer[];
};

export type InferInput = {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly parameters: Readonly<Record<string, Parameter>>;
  readonly contents: Contents | null;
};

export type WantedTensor = {
  readonly name: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
};

export type InferMessage = {
  readonly model_name: string;
  readonly model_version: string;
  readonly id: string;
  readonly inputs: readonly InferInput[];
  readonly outputs: readonly WantedTensor[];
  readonly raw_input_contents: readonly Buffer[];
};

export type InferAnswerMessage = {
  readonly model_name: string;
  readonly model_version: string;
  readonly id: string;
  readonly outputs: readonly {
    readonly name: string;
    readonly datatype: string;
    readonly shape: readonly number[];
    readonly contents?: Contents;
  }[];
  readonly raw_output_contents: readonly Buffer[];
};

export type HealthRequest = { readonly service: string };

/** A message, or why its bytes are none. grpc-js would answer INTERNAL if its decoder threw. */
export type Received<Message> =
  | { readonly message: Message; readonly bytes: number }
  | { readonly problem: HttpProblem };

const options = { keepCase: true, longs: Number, defaults: true, oneofs: true } as const;

export const inferenceName = 'inference.GRPCInferenceService';
export const healthName = 'grpc.health.v1.Health';

export const inferenceDefinition = boundedService('inference.proto', inferenceName);
export const healthDefinition = boundedService('health.proto', healthName);

function boundedService(file: string, name: string): ServiceDefinition {
  const definition = loadSync(fileURLToPath(new URL(file, import.meta.url)), options)[
    name
  ] as ServiceDefinition;
  const methods = Object.entries(definition).map(([method, each]) => [method, bounded(each)]);
  return Object.fromEntries(methods) as ServiceDefinition;
}

function bounded(method: MethodDefinition<unknown, unknown>): MethodDefinition<Received<unknown>, unknown> {
  const decode = method.requestDeserialize;
  const requestDeserialize = (bytes: Buffer): Received<unknown> => {
    try {
      expectBounded(bytes, method.path.endsWith('/ModelInfer') ? inferRequestShape : {});
      return { message: decode(bytes), bytes: bytes.byteLength };
    } catch (error) {
      return { problem: error instanceof HttpProblem ? error : undecodable(error) };
    }
  };
  return { ...method, requestDeserialize };
}

function undecodable(error: unknown): HttpProblem {
  return invalid(`expected a message as the .proto file says, got other bytes: ${messageOf(error)}`);
}
