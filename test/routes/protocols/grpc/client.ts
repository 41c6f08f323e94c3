/** A gRPC server on the parts of a test, and a client of it that is made from the .proto files, as clients are. */
import { fileURLToPath } from 'node:url';
import {
  type CallOptions,
  Client,
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { pino } from 'pino';
import type { Predictor } from '../../../../src/model/serving/predictor.ts';
import type { Access } from '../../../../src/routes/http/guard.ts';
import { createMetrics, observePredictor, type PictureReader } from '../../../../src/routes/metrics.ts';
import {
  type GrpcServer,
  type GrpcTiming,
  openGrpc,
  usualTiming,
} from '../../../../src/routes/protocols/grpc/grpc-server.ts';
import { openAccess, type Parts } from '../../parts.ts';

const protoOf = (name: string) =>
  fileURLToPath(new URL(`../../../../src/routes/protocols/grpc/${name}.proto`, import.meta.url));
export const protoFile = protoOf('inference');

type OpenOptions = {
  access?: Partial<Access>;
  metrics?: ReturnType<typeof createMetrics>;
  log?: ReturnType<typeof pino>;
  port?: number;
  timing?: Partial<GrpcTiming>;
  predictor?: Pick<Predictor, 'serving' | 'unserved'> & PictureReader;
};

export function openGrpcOn(parts: Parts, options: OpenOptions = {}): Promise<GrpcServer> {
  const { metrics = createMetrics(), log = pino({ level: 'silent' }), port = 0 } = options;
  const { predictor = parts.predictor, access } = options;
  const { store } = parts;
  const place = { host: '127.0.0.1', port, variable: 'GRPC_PORT' } as const;
  const reader = observePredictor(predictor, metrics);
  const dependencies = {
    predictor,
    reader,
    store,
    access: { ...openAccess, ...access },
    metrics,
    log,
  };
  return openGrpc(place, dependencies, { ...usualTiming, ...options.timing });
}

export type Outcome<Answer> = {
  readonly error: ServiceError | null;
  readonly answer: Answer | undefined;
  readonly headers: Metadata;
};

type Sent = { readonly metadata?: Record<string, string>; readonly options?: CallOptions };

/** A call that is under way: its outcome never rejects. */
export type Call<Answer> = { readonly outcome: Promise<Outcome<Answer>>; cancel(): void };

export type GrpcClient = {
  call<Answer>(method: string, message: object, sent?: Sent): Call<Answer>;
  /** Sends bytes as the message. */
  callRaw(path: string, bytes: Buffer): Promise<Outcome<Buffer>>;
  watch(service: string): ClientReadableStream<{ status: string }>;
  close(): void;
};

type Packages = { inference: { GRPCInferenceService: ServiceClientConstructor } } & {
  grpc: { health: { v1: { Health: ServiceClientConstructor } } };
};

const options = { keepCase: true, longs: Number, enums: String, defaults: true } as const;
const packages = loadPackageDefinition(
  loadSync([protoFile, protoOf('health')], options),
) as unknown as Packages;

export function connect(address: string): GrpcClient {
  const insecure = credentials.createInsecure();
  const clients = [packages.inference.GRPCInferenceService, packages.grpc.health.v1.Health].map(
    (Service) => new Service(address, insecure),
  );
  const [inference, health] = clients;
  const plain = new Client(address, insecure);
  return {
    call: (method, message, { metadata = {}, options: callOptions = {} } = {}) => {
      const client = method === 'Check' ? health! : inference!;
      const sent = new Metadata();
      for (const [name, value] of Object.entries(metadata)) sent.set(name, value);
      let cancel = () => {};
      const outcome = new Promise<Outcome<never>>((resolve) => {
        let headers = new Metadata();
        const call = client[method]!(
          message,
          sent,
          callOptions,
          (error: ServiceError | null, answer: never) => resolve({ error, answer, headers }),
        );
        call.on('metadata', (came: Metadata) => {
          headers = came;
        });
        cancel = () => call.cancel();
      });
      return { outcome, cancel: () => cancel() };
    },
    callRaw: (path, bytes) =>
      new Promise((resolve) => {
        const asIs = (message: Buffer) => message;
        plain.makeUnaryRequest(path, asIs, asIs, bytes, (error, answer) =>
          resolve({ error, answer, headers: new Metadata() }),
        );
      }),
    watch: (service) => health!['Watch']!({ service }) as ClientReadableStream<{ status: string }>,
    close: () => {
      for (const client of [...clients, plain]) client.close();
    },
  };
}

export const input = (datatype: string, shape: number[], contents?: object) => ({
  name: 'image',
  datatype,
  shape,
  ...(contents && { contents }),
});
export const message = (one: object, more: object = {}) => ({ model_name: 'mnist', inputs: [one], ...more });
export const raw = (datatype: string, shape: number[], bytes: Buffer, more: object = {}) =>
  message(input(datatype, shape), { raw_input_contents: [bytes], ...more });

/** What a call was refused with; `code` null: it was not. */
export async function refusalOf(
  client: GrpcClient,
  method: string,
  sent: object,
  metadata: Record<string, string> = {},
) {
  const { error } = await client.call(method, sent, { metadata }).outcome;
  return {
    code: error && status[error.code],
    details: error?.details ?? '',
    errorCode: error?.metadata.get('error-code')[0],
  };
}
