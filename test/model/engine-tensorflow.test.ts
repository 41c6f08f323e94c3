import { createRequire } from 'node:module';
import { describe, it } from 'vitest';
import { describeEngine } from './engine-suite.ts';

const reason = whyNotHere();
if (reason === null) describeEngine('tensorflow');
else {
  console.log(`engine tensorflow is not tested: ${reason}`);
  describe.skip(`engine tensorflow: ${reason}`, () => {
    it('is not built on this machine', () => {});
  });
}

/** The binding is missing only where set-up said so; a binding that is there and broken must fail the suite. */
function whyNotHere(): string | null {
  const require = createRequire(import.meta.url);
  const addon = '@tensorflow/tfjs-node-gpu/lib/napi-v8/tfjs_binding.node';
  try {
    require.resolve(addon);
    return null;
  } catch {
    return 'set-up could not provide libtensorflow (npm run setup says why)';
  }
}
