/** A look at what the network learns from. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { datasetNames, imageSize, readSplit, type Split } from '../model/dataset.ts';
import { permutation, randomFor } from '../model/random.ts';
import { renderSamples } from '../model/samples.ts';
import { problems } from './problem.ts';

const sampleCount = 9;

export const datasetRoutes: FastifyPluginAsyncZod = async (app) => {
  app.get('/datasets/:name/samples.png', {
    schema: {
      tags: ['datasets'],
      summary: 'Nine test images with their labels, as a PNG',
      params: z.object({ name: z.enum(datasetNames) }),
      querystring: z.strictObject({
        seed: z.coerce.number().int().min(0).max(0xffffffff).default(1).describe('Which nine'),
      }),
      produces: ['image/png'],
      response: { ...problems(400) },
    },
    handler: async (request, reply) => {
      const { images, labels } = chooseSamples(
        await readSplit(request.params.name, 'test'),
        request.query.seed,
      );
      return reply.type('image/png').send((await renderSamples(images, labels)) as never);
    },
  });
};

function chooseSamples(split: Split, seed: number): { images: Uint8Array[]; labels: number[] } {
  const chosen = [...permutation(randomFor(seed, 'samples'), split.count).subarray(0, sampleCount)];
  return {
    images: chosen.map((index) => split.images.subarray(index * imageSize, (index + 1) * imageSize)),
    labels: chosen.map((index) => split.labels[index]!),
  };
}
