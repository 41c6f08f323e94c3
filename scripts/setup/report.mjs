/** One plain line a step with its time. A step that takes longer says what it is doing: in a pipe, once for each change. */

const quietMs = 2000;
const heartbeatMs = 10_000;

/** @param {NodeJS.WriteStream} stream */
export function createReport(stream) {
  const start = performance.now();
  let task = '';
  stream.on('error', () => {}); // nobody reads it any more, as after "| head": the work goes on
  return {
    /** @param {string} name what the heartbeat says */
    doing: (name) => void (task = `: ${name}`),
    /** @type {(title: string, work: () => Promise<import('./main.mjs').Outcome>) => Promise<void>} */
    async step(title, work) {
      const began = performance.now();
      task = '';
      let told = ' ';
      const beat = () => {
        if (stream.isTTY || task !== told)
          stream.write(`  ${title}${task} … ${secondsSince(began).toFixed(0)} s\n`);
        told = task;
      };
      const timers = [setTimeout(beat, quietMs), setInterval(beat, heartbeatMs)];
      try {
        const { mark, text } = await work();
        const [head = '', ...rest] = text.split('\n');
        stream.write([line(mark, head, began), ...rest, ''].join('\n'));
      } catch (error) {
        stream.write(`${line('✗', title, began)}\n`);
        throw error;
      } finally {
        for (const timer of timers) clearTimeout(timer);
      }
    },
    end: () => stream.write(`${line(' ', 'set-up done', start)}\n`),
  };
}

/** @param {number} began */
const secondsSince = (began) => (performance.now() - began) / 1000;

/** @type {(mark: string, text: string, began: number) => string} */
const line = (mark, text, began) =>
  `${mark} ${text.padEnd(60)} ${secondsSince(began).toFixed(1).padStart(6)} s`;
