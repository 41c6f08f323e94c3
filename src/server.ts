/** The API process: options and configuration, then all else, which takes a second to load. */
import { readListenerConfig, requireRedisUrl } from './config.ts';
import { openDataDir } from './lib/files.ts';
import { expectFree, grpcPlace } from './lib/listen.ts';
import { runEntry } from './lifecycle.ts';
import { keepEvents } from './model/serving/keep-events.ts';
import { startPredictor } from './model/serving/predictor.ts';
import { takeOptions } from './options.mjs';

await runEntry(async () => {
  const config = await readListenerConfig(takeOptions('server'));
  const redisUrl = requireRedisUrl(config);
  await expectFree(config);
  const grpc = grpcPlace(config);
  if (grpc !== null) await expectFree(grpc);
  await openDataDir(config.dataDir);
  const events = keepEvents();
  const { dataDir, engine, keepModels, servedModels } = config;
  const predictor = startPredictor({ dataDir, engine, keepModels, servedModels }, events); // opens its engine meanwhile
  const { serve } = await import('./serve.ts');
  await serve(config, redisUrl, { predictor, listen: events.listen });
});
