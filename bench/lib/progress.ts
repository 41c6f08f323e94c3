/** What is under way, for whoever waits: nothing for two seconds, then a line; in a terminal it counts the seconds. */

const quietMs = 2000;
const repeatedEveryS = 30; // in a pipe

/** Says what is waited for until it is done. */
export async function during<T>(what: string, work: Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const { stdout } = process;
  let shown = false;
  const tell = () => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    if (stdout.isTTY) stdout.write(`\r${what} · ${seconds} s`);
    else if (!shown || seconds % repeatedEveryS === 0)
      console.log(shown ? `${what} · ${seconds} s` : `${what} …`);
    shown = true;
  };
  let timer = setTimeout(() => {
    tell();
    timer = setInterval(tell, 1000);
  }, quietMs);
  try {
    return await work;
  } finally {
    clearTimeout(timer); // of the interval as well: Node keeps one list
    if (shown && stdout.isTTY) stdout.write('\r\u001b[K');
  }
}
