/** The compiled API process alone, and what it takes of the machine. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type Api = { readonly address: string; readonly pid: number; end(): Promise<void> };

const program = fileURLToPath(new URL('../../dist/server.js', import.meta.url));
const ticksPerSecond = 100; // of /proc/PID/stat, on every Linux

/** Without a model: it only tells of jobs. */
export async function startApi(redisUrl: string, dataDir: string): Promise<Api> {
  const env = {
    ...process.env,
    REDIS_URL: redisUrl,
    DATA_DIR: dataDir,
    PORT: '0',
    FIRST_MODEL: 'false',
    LOG_LEVEL: 'warn',
  };
  const child = fork(program, { env });
  const gone = once(child, 'exit');
  const failed = gone.then(([code]) => Promise.reject(new Error(`the API ended by ${String(code)}`)));
  failed.catch(() => {}); // after it was ready, by `end`
  const [message] = (await Promise.race([once(child, 'message'), failed])) as [{ address: string }];
  return {
    address: message.address,
    pid: child.pid!,
    end: async () => {
      child.kill('SIGTERM');
      await gone;
    },
  };
}

/** Seconds of a core that a process has used so far, in its own code and in the system's. */
export function coreSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond; // utime, stime
}
