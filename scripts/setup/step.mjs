/** One step of the set-up: a line when it is done, and signs of life when it takes longer than two seconds. */
import { spawn } from 'node:child_process';

/** A failure with a message for people: what was expected, what came, what to do next. */
export class SetupError extends Error {}

const signsAfterMs = 2000;
const redrawEveryMs = 200;
const plainEveryMs = 5000;
const nothingToSay = () => '';

/**
 * Runs `work`, which returns a few words on what it found or did. It may call `progress(words)`, or
 * `progress(() => words)` for something that is measured while it lasts.
 */
export async function step(name, work) {
  const startedAt = performance.now();
  let words = nothingToSay;
  const seconds = () => ((performance.now() - startedAt) / 1000).toFixed(1).padStart(5);
  const line = (mark, text) => `${mark} ${name.padEnd(13)}${seconds()} s  ${text}`;
  const terminal = process.stdout.isTTY;
  const show = () => {
    if (performance.now() - startedAt < signsAfterMs) return;
    const text = line('…', words());
    process.stdout.write(terminal ? `\r\u001B[K${text.slice(0, process.stdout.columns - 1)}` : `${text}\n`);
  };
  const timer = setInterval(show, terminal ? redrawEveryMs : plainEveryMs);
  try {
    const result = await work((next) => {
      words = typeof next === 'function' ? next : () => next;
    });
    process.stdout.write(`${terminal ? '\r\u001B[K' : ''}${line('✓', result)}\n`);
  } catch (error) {
    process.stdout.write(`${terminal ? '\r\u001B[K' : ''}${line('✗', '')}\n`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}

const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
    process.exit(130);
  });
}

/**
 * Runs a command to its end without a shell and without input.
 *
 * @returns {Promise<{ok: boolean, output: string}>} `output` is what it printed
 */
export function run(command, args, { cwd, env, timeoutMs = 10 * 60_000 } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
    });
    running.add(child);
    let output = '';
    const collect = (chunk) => {
      output = (output + chunk).slice(-100_000);
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    const end = (ok, reason) => {
      running.delete(child);
      resolve({ ok, output: `${output.trim()}${reason}` });
    };
    child.on('error', (error) => end(false, error.message));
    child.on('close', (code, signal) => end(code === 0, signal ? `\nended by ${signal}` : ''));
  });
}

/** Runs a command that has to succeed. */
export async function runOrFail(what, command, args, options) {
  const { ok, output } = await run(command, args, options);
  if (ok) return output;
  throw new SetupError(`expected "${what}" to succeed, it printed:\n${excerpt(output)}`);
}

/** The first and the last lines of a long output, indented; npm says what is wrong first, most others last. */
export function excerpt(output) {
  const lines = output.split('\n');
  const chosen = lines.length <= 20 ? lines : [...lines.slice(0, 10), '…', ...lines.slice(-10)];
  return chosen.map((line) => `    ${line}`).join('\n');
}
