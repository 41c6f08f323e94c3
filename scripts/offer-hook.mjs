/** `npm run setup` on a terminal ends with an offer: the hook in .githooks, unless this checkout has hooks of its own. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const isByHand = process.stdout.isTTY && process.env['CI'] === undefined;
if (isByHand && existsSync('.git') && spawnSync('git', ['config', '--get', 'core.hooksPath']).status === 1)
  console.log('  optional: "git config core.hooksPath .githooks" runs npm run check before each commit');
