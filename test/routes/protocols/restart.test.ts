/** What the protocols say of a model while the process that reads images starts again. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../jobs/until.ts';
import { predictorPid } from '../../model/serving/processes.ts';
import { type Parts, startParts } from '../parts.ts';

let parts: Parts;
beforeAll(async () => {
  parts = await startParts();
  await parts.publishAndServe();
});
afterAll(() => parts.close());

const paths = [
  '/v2/models/mnist',
  '/v2/models/mnist/ready',
  '/v2/models/mnist/versions/1',
  '/v2/models/mnist/versions/1/ready',
  '/v2/models/mnist/versions/champion/ready',
  '/v1/models/mnist',
  '/v1/models/mnist/metadata',
  '/v1/models/mnist/versions/1',
  '/v1/models/mnist/labels/champion',
];

it('answers that it is away for a moment, by whatever selector, and then that it is there', async () => {
  process.kill(predictorPid()!, 'SIGKILL');
  await until(
    'the end of the process',
    () => parts.predictor.unserved(),
    (unserved) => unserved !== null,
  );
  const answers = await Promise.all(paths.map((path) => parts.app.inject(path)));
  for (const answer of answers) {
    expect(answer.json()).toMatchObject({ status: 503, code: 'PREDICTOR_RESTARTED' });
    expect(answer.headers['retry-after']).toBe('1');
  }
  await until(
    'the process to serve again',
    () => parts.predictor.unserved(),
    (unserved) => unserved === null,
  );
  const codes = await Promise.all(paths.map(async (path) => (await parts.app.inject(path)).statusCode));
  expect(codes).toEqual(paths.map(() => 200));
});
