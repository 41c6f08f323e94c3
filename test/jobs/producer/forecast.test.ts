import { describe, expect, it } from 'vitest';
import { resolveRequest, type TrainJob, trainRequestSchema } from '../../../src/jobs/contract.ts';
import { forecast } from '../../../src/jobs/producer/forecast.ts';
import { describeBuiltIn } from '../../../src/model/data/built-in.ts';

const mnist = describeBuiltIn('mnist');
const requestOf = (change: object = {}) => resolveRequest(trainRequestSchema.parse(change), mnist);

/** A job that took so many seconds for each of its epochs. */
function jobOf(id: string, secondsEach: number[], change: object = {}): TrainJob {
  const epochs = secondsEach.map((seconds, i) => {
    return { epoch: i + 1, trainLoss: 1, testLoss: 1, testAccuracy: 0.9, seconds, modelVersion: i + 1 };
  });
  return { id, request: requestOf(change), epochs } as unknown as TrainJob;
}
const forecastFrom = (
  jobs: TrainJob[],
  change: object = {},
  find = async () => mnist as typeof mnist | null,
) => forecast(requestOf(change), mnist, { list: async () => ({ data: jobs, hasMore: false }) }, find);

describe('a forecast', () => {
  it('takes as long as an equal job did, and in proportion for more epochs and passes', async () => {
    const jobs = [jobOf('one', [30])];
    expect(await forecastFrom(jobs)).toEqual({ seconds: expect.closeTo(30), measuredOn: 'one' });
    expect((await forecastFrom(jobs, { epochs: 4 }))!.seconds).toBeCloseTo(120);
    const twice = (await forecastFrom(jobs, { passes: 2 }))!.seconds;
    expect(twice).toBeGreaterThan(54); // the evaluation is not repeated
    expect(twice).toBeLessThan(60);
  });

  it('reckons from a job with the same network, or else from the newest, by their multiplications', async () => {
    const jobs = [jobOf('wide', [100], { network: 'wide' }), jobOf('article', [30])];
    expect(await forecastFrom(jobs)).toEqual({ seconds: expect.closeTo(30), measuredOn: 'article' });
    const small = (await forecastFrom(jobs, { network: 'small' }))!;
    expect(small.measuredOn).toBe('wide');
    expect(small.seconds).toBeLessThan(30);
  });

  it('counts the pass over training images that batch normalisation needs', async () => {
    const jobs = [jobOf('one', [30])];
    const convolution = { kind: 'convolution', filters: 8, kernelSize: 3, pool: 2 } as const;
    const [plain, normalised] = await Promise.all(
      [false, true].map((batchNorm) =>
        forecastFrom(jobs, { network: { layers: [{ ...convolution, batchNorm }] } }),
      ),
    );
    expect(normalised!.seconds).toBeGreaterThan(plain!.seconds);
    expect(normalised!.seconds).toBeLessThan(1.05 * plain!.seconds);
  });

  it('is none before a job has run, or where the data sets of all jobs are gone', async () => {
    expect(await forecastFrom([])).toBeNull();
    expect(await forecastFrom([jobOf('without an epoch', [])])).toBeNull();
    expect(await forecastFrom([jobOf('one', [30])], {}, async () => null)).toBeNull();
  });
});
