/** What a person sees: a line a step with its time; what takes longer shows that it is getting on. */

const quietMs = 2000; // a step shorter than this prints only its line
const pipeEveryMs = 5000;
const frameEveryMs = 120;
const sampleEveryMs = 500; // counting the bytes of a directory has a price
const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const lineWidth = 60;

/**
 * What a step is busy with. `bytes` tells how much of `total` is there.
 *
 * @typedef {{ name: string, bytes?: () => number, total?: number }} Task
 * @typedef {{ doing(task: Task): void }} Activity
 * @typedef {import('./main.mjs').Outcome} Outcome
 */

/** @param {NodeJS.WriteStream} stream */
export function createReport(stream) {
  const start = performance.now();
  stream.on('error', () => {}); // nobody reads it any more, as after "| head": the work goes on
  return {
    /**
     * Runs one step and prints its line.
     *
     * @param {string} title
     * @param {(activity: Activity) => Promise<Outcome>} work
     */
    async step(title, work) {
      const began = performance.now();
      const progress = showProgress(stream, title);
      try {
        const { mark, text } = await work(progress.activity);
        progress.end();
        const [head, ...rest] = text.split('\n');
        stream.write(`${[line(mark, head ?? '', began), ...rest].join('\n')}\n`);
      } catch (error) {
        progress.end();
        stream.write(`${line('✗', title, began)}\n`);
        throw error;
      }
    },
    end() {
      stream.write(`${line(' ', 'set-up done', start)}\n`);
    },
  };
}

/**
 * @param {string} mark
 * @param {string} text
 * @param {number} began
 */
function line(mark, text, began) {
  return `${mark} ${text.padEnd(lineWidth)} ${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s`;
}

/**
 * On a terminal one line that is drawn again and again, elsewhere a plain line now and then.
 *
 * @param {NodeJS.WriteStream} stream
 * @param {string} title
 */
function showProgress(stream, title) {
  const began = performance.now();
  const animated = stream.isTTY && process.env['TERM'] !== 'dumb';
  const sample = sampler();
  let task = /** @type {Task} */ ({ name: '' });
  let frame = 0;
  const draw = () => {
    const elapsed = performance.now() - began;
    if (elapsed < quietMs) return;
    const parts = [title, task.name, sample(task), `${Math.round(elapsed / 1000)} s`].filter(Boolean);
    const text = parts.join(' · ');
    if (!animated) stream.write(`  ${text}\n`);
    else stream.write(`\r\x1b[K${frames[frame++ % frames.length]} ${text.slice(0, stream.columns - 3)}`);
  };
  const timer = setInterval(draw, animated ? frameEveryMs : pipeEveryMs);
  return {
    activity: { doing: (/** @type {Task} */ next) => void (task = next) },
    end() {
      clearInterval(timer);
      if (animated) stream.write('\r\x1b[K');
    },
  };
}

/** Megabytes so far of a task, in words; counted at most twice a second. */
function sampler() {
  let at = Number.NEGATIVE_INFINITY;
  let text = '';
  return (/** @type {Task} */ { bytes, total }) => {
    if (!bytes) return '';
    if (performance.now() - at > sampleEveryMs) {
      at = performance.now();
      text = `${megabytes(bytes())}${total ? ` of ${megabytes(total)}` : ''} MB`;
    }
    return text;
  };
}

/** @param {number} bytes */
function megabytes(bytes) {
  return Math.round(bytes / 1e6);
}
