/** The calls of `inference.GRPCInferenceService`. */
import type {
  handleUnaryCall,
  ServerUnaryCall,
  sendUnaryData,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { FastifyBaseLogger } from 'fastify';
import { z } from 'zod';
import { modelName } from '../../../model/registry/names.ts';
import type { Selector } from '../../../model/serving/select-version.ts';
import { HttpProblem, invalidProblem } from '../../http/problem.ts';
import { createDescribe, selectorOf } from '../described-version.ts';
import { readImages } from '../read-images.ts';
import type { ProtocolDependencies } from '../v2.ts';
import { isReady, modelMetadata, repositoryIndex, serverMetadata } from '../v2-metadata.ts';
import { readInferMessage, writeInferMessage } from './infer-message.ts';
import type { InferAnswerMessage, InferMessage, ModelRequest, Received } from './messages.ts';
import { failure, statusOf } from './status.ts';

/** Answers a message. `gone` aborts when nobody waits for the answer. It may throw an HttpProblem. */
type Handle<Message, Answer> = (message: Message, gone: AbortController) => Answer | Promise<Answer>;

export function inferenceHandlers(
  parts: ProtocolDependencies,
  log: FastifyBaseLogger,
): UntypedServiceImplementation {
  const { predictor, reader, store } = parts;
  const describe = createDescribe(predictor, store);
  const infer = async (message: InferMessage, gone: AbortController): Promise<InferAnswerMessage> => {
    const selector = selected({ name: message.model_name, version: message.model_version });
    const wanted = readInferMessage(message);
    const read = await readImages(wanted.images, selector, gone, reader);
    return writeInferMessage(read, wanted, message.raw_input_contents.length > 0);
  };
  const modelReady = async (message: ModelRequest) => {
    const ask = async () => describe(selected(message));
    return { ready: await ask().then(() => true, falseIfAway) };
  };
  const metadata = async (message: ModelRequest) =>
    modelMetadata(await describe(selected(message)), predictor);
  return {
    ServerLive: unary(() => ({ live: true }), log),
    ServerReady: unary(() => ({ ready: isReady(predictor) }), log),
    ServerMetadata: unary(() => serverMetadata, log),
    ModelReady: unary(modelReady, log),
    ModelMetadata: unary(metadata, log),
    ModelInfer: unary(infer, log),
    RepositoryIndex: unary(() => ({ models: repositoryIndex(predictor) }), log),
  };
}

/** Clients that wait for a model ask until it is ready, and give up on an error: Triton answers so too. */
function falseIfAway(error: unknown): false {
  if (error instanceof HttpProblem && [404, 409, 503].includes(error.options.status)) return false;
  throw error;
}

const namedModel = z.object({ name: modelName });

/** @throws HttpProblem 400 for what is no name, 404 for a version that is neither a number nor an alias */
function selected({ name, version }: ModelRequest): Selector {
  const { error } = namedModel.safeParse({ name });
  if (error) throw new HttpProblem(invalidProblem('message', error.issues, null, { name }));
  return selectorOf({ model: name, version: version === '' ? undefined : version });
}

function unary<Message, Answer>(
  handle: Handle<Message, Answer>,
  log: FastifyBaseLogger,
): handleUnaryCall<Received<Message>, Answer> {
  return (call, callback) => void reply(call, callback, handle, log);
}

async function reply<Message, Answer>(
  call: ServerUnaryCall<Received<Message>, Answer>,
  callback: sendUnaryData<Answer>,
  handle: Handle<Message, Answer>,
  log: FastifyBaseLogger,
): Promise<void> {
  try {
    callback(null, await answerTo(call, handle));
  } catch (err) {
    const isRefusal = err instanceof HttpProblem;
    const requestId = call.metadata.get('x-request-id')[0];
    if (!isRefusal) log.error({ err, requestId }, 'a call failed');
    callback(statusOf(isRefusal ? err : failure()));
  }
}

async function answerTo<Message, Answer>(
  call: ServerUnaryCall<Received<Message>, Answer>,
  handle: Handle<Message, Answer>,
): Promise<Answer> {
  const { request } = call;
  const gone = new AbortController();
  call.once('cancelled', () => gone.abort()); // by the client, or by its deadline
  if (call.cancelled) gone.abort();
  if ('problem' in request) throw request.problem;
  return handle(request.message, gone);
}
