/**
 * Brings everything into place that Trainyard needs, and does nothing where it is: npm packages,
 * libtensorflow with its binding, Redis, the compiled program. Node's built-ins only, since nothing
 * is installed yet when this runs. It writes to the repository and the cache directory.
 *
 *   node scripts/setup.mjs [--no-redis] [--retry]
 *     --no-redis  the part that is started alone uses the Redis at REDIS_URL
 *     --retry     try again for the TensorFlow engine, also where that failed today
 */

import { buildProgram } from './setup/build.mjs';
import { cacheDirectory } from './setup/cache.mjs';
import { checkNode, installPackages } from './setup/packages.mjs';
import { provideRedis } from './setup/redis.mjs';
import { SetupError, step } from './setup/step.mjs';
import { provideTensorFlow } from './setup/tensorflow.mjs';

const options = new Set(process.argv.slice(2));
const startedAt = performance.now();
try {
  checkNode(process.versions.node);
  const cache = cacheDirectory();
  await step('npm packages', (progress) => installPackages(cache, progress));
  await step('TensorFlow', (progress) => provideTensorFlow(cache, progress, options.has('--retry')));
  if (!options.has('--no-redis')) await step('Redis', provideRedis);
  await step('program', buildProgram);
  console.log(`set up in ${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`\nset-up failed: ${error.message}`);
  process.exitCode = 1;
}
