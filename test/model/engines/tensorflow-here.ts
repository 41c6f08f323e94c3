/** Whether TensorFlow can be tested on this machine. */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** The binding is missing only where set-up said so; a binding that is there and broken must fail the suite. */
export function whyNoTensorFlow(): string | null {
  try {
    require.resolve('@tensorflow/tfjs-node-gpu/lib/napi-v8/tfjs_binding.node');
    return null;
  } catch {
    return 'set-up could not provide libtensorflow (npm run setup says why)';
  }
}
