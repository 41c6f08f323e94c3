/** Pictures of the data sets that networks learn from. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { permutation, randomFor } from '../lib/random.ts';
import { type BuiltInName, builtInNames, readSplit } from '../model/data/built-in.ts';
import { imageAt, imageSide, type Split } from '../model/data/dataset.ts';
import { renderSamples } from '../model/data/sample-sheet.ts';
import { encodePng } from '../model/image/encode-png.ts';
import { problems } from './http/problem.ts';

/** Test splits, read and checked once: 7.8 MB that never change. After a failure they are read again. */
const testSplits = new Map<BuiltInName, Promise<Split>>();

function testSplit(dataset: BuiltInName): Promise<Split> {
  const known = testSplits.get(dataset);
  if (known) return known;
  const reading = readSplit(dataset, 'test');
  testSplits.set(dataset, reading);
  reading.catch(() => testSplits.delete(dataset));
  return reading;
}

const sampleCount = 9;
const testCount = 10_000;
const name = z.enum(builtInNames);
const tags = ['datasets'];

export const datasetRoutes: FastifyPluginAsyncZod = async (app) => {
  app.get('/datasets/:name/samples.png', {
    schema: {
      tags,
      operationId: 'drawSamples',
      summary: 'Nine test images with their labels, as a PNG',
      params: z.object({ name }),
      querystring: z.strictObject({
        seed: z.coerce.number().int().min(0).max(0xffffffff).default(1).describe('Which nine'),
      }),
      produces: ['image/png'],
      response: { ...problems(400) },
    },
    handler: async (request, reply) => {
      const split = await testSplit(request.params.name);
      const order = permutation(randomFor(request.query.seed, 'samples'), split.count);
      const chosen = [...order.subarray(0, sampleCount)];
      const images = chosen.map((index) => imageAt(split, index));
      const labels = chosen.map((index) => split.labels[index]!);
      return reply.type('image/png').send((await renderSamples(images, labels)) as never);
    },
  });

  app.get('/datasets/:name/test/:index.png', {
    schema: {
      tags,
      operationId: 'getTestImage',
      summary: 'One test image as a PNG; the header X-Label says which digit it is',
      params: z.object({
        name,
        index: z
          .string()
          .regex(/^\d{1,4}$/, `expected 0 to ${testCount - 1}`)
          .transform(Number),
      }),
      produces: ['image/png'],
      response: { ...problems(400) },
    },
    handler: async (request, reply) => {
      const split = await testSplit(request.params.name);
      const { index } = request.params;
      const picture = await encodePng(imageAt(split, index), imageSide, imageSide);
      return reply
        .type('image/png')
        .header('x-label', split.labels[index]!)
        .send(picture as never);
    },
  });
};
