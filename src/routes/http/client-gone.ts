/** Work that nobody waits for any more. */
import type { FastifyReply } from 'fastify';

/** Aborts when the client disconnects before its answer is sent, also where that has happened already. */
export function goneWith(reply: FastifyReply): AbortController {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  if (reply.raw.destroyed) gone.abort(); // the client left while the body was read
  return gone;
}
