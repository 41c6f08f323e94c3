/**
 * Carries out one change to a store and kills itself at one of its file-system calls.
 * Arguments: data directory, change, moment, number of the call.
 */
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { openStore } from '../../src/model/store/store.ts';
import { publish } from '../model/store/versions.ts';

type Call = (...args: unknown[]) => Promise<unknown>;
type Functions = Record<string, Call>;

const [dataDir, change, moment, number] = process.argv.slice(2) as [string, string, string, string];
const store = openStore(dataDir);
const [newest] = await store.versions();
let calls = 0; // counted from here on

/** `call`, with an end at the chosen moment of the chosen one. */
function deadly(name: string, call: Call): Call {
  return async (...args) => {
    if (++calls !== Number(number)) return call(...args);
    process.stdout.write(`${name}\n`);
    if (moment === 'during') await half(name, call, args);
    if (moment === 'after') await call(...args).catch(() => {});
    process.kill(process.pid, 'SIGKILL');
    return new Promise(() => {}); // nothing comes after
  };
}

/** Half of what would be written; of any other call, its beginning. */
async function half(name: string, call: Call, args: unknown[]): Promise<void> {
  const [bytes] = args;
  if (name === 'writeFile' && bytes instanceof Uint8Array) await call(bytes.subarray(0, bytes.length / 2));
  else void call(...args).catch(() => {});
}

const functions = fs as unknown as Functions;
const originalOpen = functions['open']!;
for (const name of Object.keys(functions)) {
  if (typeof functions[name] === 'function') functions[name] = deadly(name, functions[name]);
}
functions['open'] = deadly('open', async (...args) => {
  const file = (await originalOpen(...args)) as Functions;
  for (const name of [
    'writeFile',
    'write',
    'writev',
    'read',
    'sync',
    'datasync',
    'truncate',
    'stat',
    'close',
  ])
    file[name] = deadly(name, file[name]!.bind(file));
  return file;
});
syncBuiltinESMExports();

if (change === 'publish') await publish(store);
if (change === 'quarantine') await store.quarantine(newest!, 'damaged');
if (change === 'retain') await store.retain(1, newest!);
process.stdout.write('survived\n');
