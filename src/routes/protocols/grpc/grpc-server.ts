/** The gRPC server: its services, its limits, and its end. */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { FastifyBaseLogger } from 'fastify';
import { listenFailed, type Place } from '../../../lib/listen.ts';
import type { Access } from '../../http/guard.ts';
import type { Metrics } from '../../metrics.ts';
import { maxBodyBytes } from '../protocol-scope.ts';
import type { ProtocolDependencies } from '../v2.ts';
import { isReady } from '../v2-metadata.ts';
import { createRefuse } from './access.ts';
import { createHealth } from './health.ts';
import { inferenceHandlers } from './inference.ts';
import { healthDefinition, healthName, inferenceDefinition, inferenceName } from './messages.ts';
import { superviseCalls } from './supervise-calls.ts';

export type GrpcDependencies = ProtocolDependencies & {
  readonly access: Access;
  readonly metrics: Metrics;
  readonly log: FastifyBaseLogger;
};

export type GrpcServer = {
  readonly address: string; // host and port
  /** Stops listening and waits for the calls under way, but not for ever. */
  close(): Promise<void>;
};

/** In ms. */
export type GrpcTiming = {
  readonly message: number; // for a message to arrive, and for an answer to be taken
  readonly ping: number; // between pings of a connection: they notice clients that vanished
  readonly pong: number; // for the answer to a ping
  readonly idle: number; // that a connection without calls stays open; clients open another by themselves
};

export const usualTiming: GrpcTiming = { message: 30_000, ping: 30_000, pong: 10_000, idle: 300_000 };
const callsOfConnection = 100; // at a time
const closeWithinMs = 7000; // shorter than the grace of the process (lifecycle.ts)

const probes = [
  `/${inferenceName}/ServerLive`,
  `/${inferenceName}/ServerReady`,
  `/${healthName}/Check`,
  `/${healthName}/Watch`,
];

/** Resolves when it listens. @throws TrainyardError `LISTEN_FAILED` */
export async function openGrpc(
  place: Place,
  parts: GrpcDependencies,
  timing = usualTiming,
): Promise<GrpcServer> {
  const { predictor, access, metrics, log } = parts;
  const supervise = superviseCalls({
    refuse: createRefuse(access),
    anonymous: new Set(probes),
    streams: new Set([`/${healthName}/Watch`]),
    metrics,
    log,
    messageMs: timing.message,
  });
  const server = new Server({
    'grpc.max_receive_message_length': maxBodyBytes,
    'grpc.max_concurrent_streams': callsOfConnection,
    'grpc.keepalive_time_ms': timing.ping,
    'grpc.keepalive_timeout_ms': timing.pong,
    'grpc.max_connection_idle_ms': timing.idle,
    'grpc.enable_channelz': 0, // it would keep a record of every connection
    interceptors: [supervise],
  });
  const health = createHealth(() => isReady(predictor));
  server.addService(inferenceDefinition, inferenceHandlers(parts, log));
  server.addService(healthDefinition, health.handlers);
  const port = await bind(server, place);
  return {
    address: addressOf({ ...place, port }),
    close: () => {
      health.close();
      return shutDown(server);
    },
  };
}

function bind(server: Server, place: Place): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(addressOf(place), ServerCredentials.createInsecure(), (error, port) => {
      if (!error) return resolve(port);
      const code = /\b(?:EADDRINUSE|EACCES)\b/.exec(error.message)?.[0];
      reject(listenFailed(Object.assign(error, code && { code }), place));
    });
  });
}

function addressOf({ host, port }: Place): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function shutDown(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, closeWithinMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
