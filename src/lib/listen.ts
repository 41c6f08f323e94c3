/** Checks that the server can listen at an address, by listening there for a moment, and says what to do if it can't. */
import { createServer, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { TrainyardError } from './errors.ts';

/** `variable`: sets the port. */
export type Place = {
  readonly host: string;
  readonly port: number;
  readonly variable?: 'PORT' | 'GRPC_PORT';
};

const withinMs = 5000; // an unanswered DNS query takes longer

/** Says what is wrong with the form of HOST and what to set, or null. Resolves no names. */
export function malformedHost(text: string): string | null {
  if (isIP(text) !== 0) return null;
  const [, host, port] = /^(?:\w+:\/\/)?([^/]*?)(?::(\d+))?\/?$/.exec(text) ?? [];
  if (host === text) return null;
  const remedy = `set HOST=${host || '127.0.0.1'}${port ? ` and PORT=${port}` : ''}`;
  return `expected an address or a name, without scheme, port or path; ${remedy}`;
}

/** Says why the server can't listen at `host` and what to set, or null. Resolves names. */
export async function unusableHost(host: string): Promise<string | null> {
  const error = await tryListening({ host, port: 0 });
  if (error === null) return null;
  const remedy = `set HOST=127.0.0.1 for this machine alone, or one of its addresses (${ownAddresses()})`;
  if (isIP(host) !== 0) {
    return `expected an address of this machine, got one that it can't listen at (${error.code}); ${remedy}`;
  }
  return `expected an address of this machine or a name that resolves to one, got neither (${error.code}); if you did not set HOST, then conda or your shell did: ${remedy}`;
}

/** @throws TrainyardError `LISTEN_FAILED` if the port is taken or forbidden */
export async function expectFree(place: Place): Promise<void> {
  const error = await tryListening(place);
  if (error !== null) throw listenFailed(error, place);
}

/** Where gRPC is spoken; null: nowhere. */
export function grpcPlace({ host, grpcPort }: { host: string; grpcPort: number | null }): Place | null {
  return grpcPort === null ? null : { host, port: grpcPort, variable: 'GRPC_PORT' };
}

/** The error to show for a failed `listen`. */
export function listenFailed(
  error: NodeJS.ErrnoException,
  { host, port, variable = 'PORT' }: Place,
): TrainyardError {
  const message = `expected to listen on port ${port} of ${host}, ${reasonOf(error, variable)}`;
  return new TrainyardError('LISTEN_FAILED', message, { cause: error });
}

function reasonOf({ code, message }: NodeJS.ErrnoException, variable: string): string {
  if (code === 'EADDRINUSE') {
    return `got that another program listens there, perhaps a Trainyard that runs already; end that, or set ${variable} to a free one`;
  }
  if (code === 'EACCES') {
    return `got that this user may not, since low ports are for root; set ${variable} to 1024 or more, and have a proxy take the low port`;
  }
  return `got: ${message}; set HOST to an address of this machine and ${variable} to a free port`;
}

function tryListening(place: Place): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const server = createServer();
    const timer = setTimeout(() => {
      resolve(Object.assign(new Error(`no answer within ${withinMs / 1000} s`), { code: 'ETIMEOUT' }));
    }, withinMs);
    const end = (error: NodeJS.ErrnoException | null) => {
      clearTimeout(timer);
      resolve(error);
    };
    server.once('error', end);
    server.listen(place, () => server.close(() => end(null))).unref();
  });
}

function ownAddresses(): string {
  const all = Object.values(networkInterfaces()).flatMap((list = []) => list);
  const others = all.filter(({ internal, family }) => !internal && family === 'IPv4');
  return others.map(({ address }) => address).join(', ') || '127.0.0.1';
}
