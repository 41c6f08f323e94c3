/** Opens the engine `webgpu` and loses its device; would wait for a minute after that. */
import { setTimeout as delay } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs';
import { openEngine } from '../../../src/model/engines/open-engine.ts';

await openEngine('webgpu');
(tf.backend() as tf.KernelBackend & { device: { destroy(): void } }).device.destroy();
await delay(60_000);
