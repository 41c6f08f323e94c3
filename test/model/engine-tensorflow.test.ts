import { createRequire } from 'node:module';
import { describeEngine } from './engine-suite.ts';

const require = createRequire(import.meta.url);

// Node 23 removed these; without them here, the suite shows on any Node that the engine puts back what it needs.
const util = require('node:util') as Record<string, unknown>;
delete util['isNullOrUndefined'];
delete util['isArray'];

const reason = whyNotHere();
if (reason !== null) console.log(`engine tensorflow is not tested: ${reason}`);
describeEngine('tensorflow', reason);

/** The binding is missing only where set-up said so; a binding that is there and broken must fail the suite. */
function whyNotHere(): string | null {
  try {
    require.resolve('@tensorflow/tfjs-node-gpu/lib/napi-v8/tfjs_binding.node');
    return null;
  } catch {
    return 'set-up could not provide libtensorflow (npm run setup says why)';
  }
}
