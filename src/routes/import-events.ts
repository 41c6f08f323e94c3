/** GET /datasets/:name/events: the import of a data set as it happens, as GET /jobs/:id/events tells of a training. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { importEventSchema } from '../jobs/import-events.ts';
import type { ImportQueue } from '../jobs/producer/import-queue.ts';
import { availableBuiltIns } from '../model/data/built-in.ts';
import type { Datasets } from '../model/data/imported/datasets.ts';
import { datasetParams } from './datasets.ts';
import { type EventStreams, type FollowedJob, lastReceived, resumption } from './http/event-stream.ts';
import { problems } from './http/problem.ts';
import { unknownDataset } from './trainable-dataset.ts';

type Dependencies = {
  readonly imports: ImportQueue;
  readonly datasets: Datasets;
  readonly streams: EventStreams;
};

export const importEventRoutes: FastifyPluginAsyncZod<Dependencies> = async (app, parts) => {
  app.get('/datasets/:name/events', {
    exposeHeadRoute: false, // its response would not end
    schema: {
      operationId: 'followImport',
      tags: ['datasets'],
      summary:
        'Follow the import of a data set: server-sent events until it has ended; no content where the set is ready and its import is no longer kept (the last 100 are)',
      params: datasetParams,
      ...resumption,
      produces: ['text/event-stream'],
      response: { 200: importEventSchema, 204: z.null(), ...problems(400, 404, 503) },
    },
    handler: (request, reply) => {
      const { name } = request.params;
      return parts.streams.answer(reply, lastReceived(request), () => find(parts, name));
    },
  });
};

/** The newest import under a name; null where the set came without one, or its import is no longer kept. */
async function find({ imports, datasets }: Dependencies, name: string): Promise<FollowedJob | null> {
  const unknown = () => unknownDataset(name);
  const id = await imports.idOf(name);
  if (id !== null) return { queue: imports, id, title: `the import of ${name}`, unknown };
  const isThere = availableBuiltIns().some((each) => each === name) || (await datasets.manifest(name));
  if (!isThere) throw unknown();
  return null;
}
