/** What can be asked of one `npm start` with unusual settings; the files beside this one say it. */
import { afterAll, beforeAll, describe } from 'vitest';
import { describeKeys } from './api-key.ts';
import { describeLog } from './logs.ts';
import { describeProxy } from './proxy.ts';
import { type Running, startUnusual } from './running.ts';
import { describeTrouble } from './trouble.ts';

describe('npm start with keys, behind a proxy, at LOG_LEVEL=trace', () => {
  let running: Running;
  beforeAll(async () => {
    running = await startUnusual();
  });
  afterAll(async () => {
    await running?.service.end();
  });

  describeProxy(() => running); // before there are jobs
  describeKeys(() => running);
  describeLog(() => running);
  describeTrouble(() => running); // ends the service
});
