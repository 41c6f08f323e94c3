/** A bench for a test: it measures a program that never ends, or it fails. Arguments: wait or fail, a file. */
import { atEnd, runBench } from '../../bench/lib/ending.ts';
import { lastLineOf } from '../../bench/lib/measure.ts';

const [mode, file] = process.argv.slice(2) as [string, string];
const tellPid = `require('node:fs').writeFileSync(${JSON.stringify(file)}, String(process.pid))`;

await runBench(async () => {
  atEnd(() => console.log('ended'));
  if (mode === 'fail') throw new Error('expected to fail');
  await lastLineOf({ program: process.execPath, args: ['-e', `${tellPid}; setInterval(() => {}, 1000)`] });
});
