import { describeEngine } from './engine-suite.ts';

process.env['TF_NUM_INTRAOP_THREADS'] = '2'; // with shards, as on any machine with two cores
describeEngine('wasm');
