/** Pictures of data sets, and sheets of samples. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ImportQueue } from '../jobs/producer/import-queue.ts';
import { permutation, randomFor } from '../lib/random.ts';
import {
  availableBuiltIns,
  type BuiltInName,
  describeBuiltIn,
  isBuiltIn,
  readSplit,
} from '../model/data/built-in.ts';
import { imageAt, imageSide, type Split } from '../model/data/dataset.ts';
import type { Datasets, Part } from '../model/data/imported/datasets.ts';
import { renderSamples } from '../model/data/sample-sheet.ts';
import { encodePng } from '../model/image/encode-png.ts';
import { datasetParams } from './datasets.ts';
import { HttpProblem, problems } from './http/problem.ts';
import { unknownDataset, whyMissing } from './trainable-dataset.ts';

type Picture = { readonly pixels: Uint8Array; readonly label: string };

/** One part of a data set, picture by picture. */
type Album = { readonly count: number; readonly at: (index: number) => Promise<Picture> };

const sampleCount = 9;
const tags = ['datasets'];

type Ports = { readonly datasets: Datasets; readonly imports: Pick<ImportQueue, 'find'> };

export const datasetPictureRoutes: FastifyPluginAsyncZod<Ports> = async (app, ports) => {
  const openAlbum = createAlbums(ports);

  app.get('/datasets/:name/samples.png', {
    schema: {
      tags,
      operationId: 'drawSamples',
      summary: 'Nine test images with their labels, as a PNG',
      params: datasetParams,
      querystring: z.strictObject({
        seed: z.coerce.number().int().min(0).max(0xffffffff).default(1).describe('Which nine'),
      }),
      produces: ['image/png'],
      response: { ...problems(400, 404, 409, 503) },
    },
    handler: async ({ params: { name }, query: { seed } }, reply) => {
      const album = await openAlbum(name, 'test');
      const order = permutation(randomFor(seed, 'samples'), album.count);
      const chosen = await Promise.all([...order.subarray(0, sampleCount)].map(album.at));
      const images = chosen.map(({ pixels }) => pixels);
      const labels = chosen.map(({ label }) => label);
      return reply.type('image/png').send((await renderSamples(images, labels)) as never);
    },
  });

  for (const part of ['test', 'train'] as const) {
    const [operationId, what] =
      part === 'test' ? (['getTestImage', 'test'] as const) : (['getTrainImage', 'training'] as const);
    app.get(`/datasets/:name/${part}/:index.png`, {
      schema: {
        tags,
        operationId,
        summary: `One ${what} image as a PNG; the header X-Label says what it shows`,
        params: datasetParams.extend({
          index: z
            .string()
            .regex(/^\d{1,7}$/, 'expected a whole number from 0')
            .transform(Number),
        }),
        produces: ['image/png'],
        response: { ...problems(400, 404, 409, 503) },
      },
      handler: async ({ params: { name, index } }, reply) => {
        const album = await openAlbum(name, part);
        if (index >= album.count) throw unknownPicture(name, part, index, album.count);
        const { pixels, label } = await album.at(index);
        const picture = await encodePng(pixels, imageSide, imageSide);
        return reply
          .type('image/png')
          .header('x-label', encodeURIComponent(label))
          .send(picture as never);
      },
    });
  }
};

/** Parts of built-in sets are read and checked once: megabytes that never change. After a failure they are read again. */
function createAlbums({ datasets, imports }: Ports): (name: string, part: Part) => Promise<Album> {
  const splits = new Map<string, Promise<Split>>();
  const splitOf = (name: BuiltInName, part: Part) => {
    const key = `${name} ${part}`;
    const known = splits.get(key);
    if (known) return known;
    const reading = readSplit(name, part);
    splits.set(key, reading);
    reading.catch(() => splits.delete(key));
    return reading;
  };
  return async (name, part) => {
    if (isBuiltIn(name)) {
      if (!availableBuiltIns().includes(name)) throw unknownDataset(name);
      return albumOf(await splitOf(name, part), describeBuiltIn(name).labels);
    }
    const manifest = await datasets.manifest(name);
    if (!manifest) throw await whyMissing(name, imports);
    return {
      count: manifest.counts[part].count,
      at: async (index) => {
        const picture = await datasets.picture(name, part, index);
        if (!picture) throw unknownDataset(name); // deleted meanwhile
        return picture;
      },
    };
  };
}

function albumOf(split: Split, labels: readonly string[]): Album {
  return {
    count: split.count,
    at: async (index) => ({ pixels: imageAt(split, index), label: labels[split.labels[index]!]! }),
  };
}

function unknownPicture(name: string, part: Part, index: number, count: number): HttpProblem {
  const detail = `expected 0 to ${count - 1}, the pictures of the ${part} part of ${name}, got ${index}`;
  return new HttpProblem({ status: 404, code: 'PICTURE_NOT_FOUND', detail });
}
