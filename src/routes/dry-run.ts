/** POST /jobs/train?dryRun=true: what a job would do, without queueing it. */
import { z } from 'zod';
import { type ResolvedRequest, resolvedRequestSchema } from '../jobs/contract.ts';
import { type Forecast, forecast } from '../jobs/producer/forecast.ts';
import type { JobQueue } from '../jobs/producer/queue.ts';
import type { DatasetDescription } from '../model/data/dataset.ts';
import type { DatasetLibrary } from '../model/data/load-dataset.ts';

const fewPictures = 10; // of a label, to learn from
const mostUnequal = 5; // times as many pictures of one label as of another
const fewTests = 100; // pictures

export const dryRunSchema = z
  .object({
    request: resolvedRequestSchema,
    forecast: z
      .object({
        seconds: z.number().describe('At most, where `patience` may end the training earlier'),
        measuredOn: z.string().describe('The job whose speed it is reckoned from'),
      })
      .nullable()
      .describe('null: no job has been measured yet'),
    warnings: z.array(
      z.object({ code: z.enum(['FEW_PICTURES', 'UNEQUAL_LABELS', 'FEW_TESTS']), message: z.string() }),
    ),
  })
  .meta({ id: 'DryRun' });
type DryRun = z.output<typeof dryRunSchema>;

type Ports = { readonly queue: Pick<JobQueue, 'list'>; readonly datasets: Pick<DatasetLibrary, 'describe'> };

export async function dryRun(
  request: ResolvedRequest,
  dataset: DatasetDescription,
  { queue, datasets }: Ports,
): Promise<DryRun> {
  const expected: Forecast | null = await forecast(request, dataset, queue, datasets.describe);
  return { request, forecast: expected, warnings: warningsAbout(dataset, request.testImages) };
}

/** What may make the result worse than it could be, or less certain than it looks. */
export function warningsAbout(
  { labels, counts, byLabel }: DatasetDescription,
  testImages: number | null = null, // the first ones; null: all
): DryRun['warnings'] {
  const warnings: DryRun['warnings'] = [];
  const train = byLabel?.train ?? [];
  const few = labels.filter((_, i) => (train[i] ?? fewPictures) < fewPictures);
  if (few.length > 0) {
    const message = `fewer than ${fewPictures} pictures to learn from: ${listed(few)}; add some`;
    warnings.push({ code: 'FEW_PICTURES', message });
  }
  const [least, most] = [Math.min(...train), Math.max(...train)];
  if (train.length > 0 && most > mostUnequal * least) {
    const rare = labels.filter((_, i) => train[i]! * mostUnequal < most);
    const message = `more than ${mostUnequal} times as many pictures of "${labels[train.indexOf(most)]}" as of ${listed(rare)}; the recipe "small" shows rare labels more often, more pictures of them are better`;
    warnings.push({ code: 'UNEQUAL_LABELS', message });
  }
  const tests = Math.min(counts.test, testImages ?? counts.test);
  if (tests < fewTests) {
    const message = `${tests} pictures to test with: one of them is ${(100 / Math.max(1, tests)).toFixed(1)} % of the accuracy; at least ${fewTests} tell more`;
    warnings.push({ code: 'FEW_TESTS', message });
  }
  return warnings;
}

const mostListed = 5;

function listed(labels: readonly string[]): string {
  const named = labels.slice(0, mostListed).map((label) => `"${label}"`);
  return `${named.join(', ')}${labels.length > mostListed ? ` and ${labels.length - mostListed} more` : ''}`;
}
