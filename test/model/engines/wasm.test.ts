import { isLong } from '../../long.ts';
import { describeEngine } from './engine-suite.ts';
import { whyNoTensorFlow } from './tensorflow-here.ts';

process.env['TF_NUM_INTRAOP_THREADS'] = '2'; // with shards, as on any machine with two cores
describeEngine('wasm', { hasLoop: isLong || whyNoTensorFlow() !== null });
