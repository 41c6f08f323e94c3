/** Calls frame by frame, as no gRPC client sends them: parts of messages, other headers, and answers that nobody takes. */
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  constants,
} from 'node:http2';
import { status } from '@grpc/grpc-js';

export const inference = '/inference.GRPCInferenceService/';
export const health = '/grpc.health.v1.Health/';

export type Ended = {
  readonly code: string | undefined; // none where the stream was reset
  readonly details: string;
  readonly errorCode: string | undefined;
};

export type RawCall = { readonly stream: ClientHttp2Stream; readonly ended: Promise<Ended> };

export async function connectRaw(address: string): Promise<ClientHttp2Session> {
  const session = connectHttp2(`http://${address}`, { maxSessionMemory: 1000 }); // MB
  session.on('error', () => {}); // that the server closed it
  await once(session, 'remoteSettings');
  return session;
}

/** Begins a call; the message is the caller's to write. */
export function begin(
  session: ClientHttp2Session,
  path: string,
  headers: Record<string, string> = {},
): RawCall {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  stream.on('error', () => {}); // that the server reset it
  stream.resume();
  return { stream, ended: endOf(stream) };
}

function endOf(stream: ClientHttp2Stream): Promise<Ended> {
  return new Promise((resolve) => {
    let came: Record<string, string | undefined> = {};
    const take = (headers: object) => {
      came = { ...came, ...headers };
      if (came['grpc-status'] === undefined) return;
      resolve({
        code: status[Number(came['grpc-status'])],
        details: decodeURI(came['grpc-message'] ?? ''),
        errorCode: came['error-code'],
      });
    };
    stream.on('response', take).on('trailers', take);
    stream.on('close', () =>
      resolve({ code: undefined, details: `reset ${stream.rstCode}`, errorCode: undefined }),
    );
  });
}

/** Cancels a call. Node 20 may crash where a session is destroyed with calls that still send. */
export async function leave(stream: ClientHttp2Stream): Promise<void> {
  if (stream.closed) return;
  stream.close(constants.NGHTTP2_CANCEL);
  await once(stream, 'close');
}

/** A message as it is on the wire. `length`: that the prefix tells; by default that of the content. */
export function framed(content: Buffer, { compressed = false, length = content.byteLength } = {}): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = compressed ? 1 : 0;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, content]);
}
