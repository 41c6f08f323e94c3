/** A training's progress: one line that is redrawn on a terminal; in a pipe, a plain line every few seconds if it has changed. */
export type Output = Pick<NodeJS.WriteStream, 'write'> & {
  readonly isTTY?: boolean;
  readonly columns?: number;
};

/** As in a job's `progress`. */
export type Progress = {
  readonly epoch: number;
  readonly epochs: number;
  readonly step: number;
  readonly steps: number;
  readonly fraction: number; // 0 … 1, of the whole run
  readonly loss: number;
  readonly imagesPerSecond: number;
  readonly etaSeconds: number;
};

export type ProgressDisplay<Shown = Progress> = {
  show(progress: Shown): void;
  /** A line that stays. */
  say(text: string): void;
  /** Leaves the newest progress standing. */
  finish(): void;
};

const barWidth = 24; // characters
const plainEveryMs = 5000;

export function openProgressDisplay(output: Output): ProgressDisplay {
  return openLineDisplay(output, progressLine);
}

/** The same for any progress, as the line that `lineOf` makes of it. */
export function openLineDisplay<Shown>(
  output: Output,
  lineOf: (progress: Shown) => string,
): ProgressDisplay<Shown> {
  let shownAt = Number.NEGATIVE_INFINITY;
  let unshown: { readonly progress: Shown } | null = null;
  let onLine = false; // the cursor is behind a line that may be redrawn
  let drawn = '';
  const draw = (progress: Shown) => {
    const line = lineOf(progress);
    if (output.isTTY) output.write(`\r\u001B[K${line.slice(0, (output.columns ?? 80) - 1)}`);
    else if (line !== drawn) output.write(`${line}\n`);
    drawn = line;
    onLine = output.isTTY === true;
    shownAt = performance.now();
    unshown = null;
  };
  const finish = () => {
    if (unshown) draw(unshown.progress);
    if (onLine) output.write('\n');
    onLine = false;
  };
  return {
    show: (progress) => {
      unshown = { progress };
      if (output.isTTY || performance.now() - shownAt > plainEveryMs) draw(progress);
    },
    say: (text) => {
      finish();
      output.write(`${text}\n`);
    },
    finish,
  };
}

/** `[████████░░░░]  67 %  epoch 1/1  step 608/907  loss 0.5213  1,900 images/s  11 s left` */
export function progressLine(progress: Progress): string {
  const { epoch, epochs, step, steps, fraction, loss, imagesPerSecond, etaSeconds } = progress;
  const rate = `${Math.round(imagesPerSecond).toLocaleString('en')} images/s`;
  const counts = `epoch ${epoch}/${epochs}  step ${step}/${steps}`;
  return `${barOf(fraction)}  ${counts}  loss ${loss.toFixed(4)}  ${rate}  ${Math.ceil(etaSeconds)} s left`;
}

/** `training mnist, recipe "fast", on TensorFlow 2.21.0, CPU, 2 threads` */
export function trainingLine(
  { request }: { readonly request: { readonly dataset: string; readonly recipe: string } },
  device: string,
): string {
  return `training ${request.dataset}, recipe "${request.recipe}", on ${device}`;
}

/** `[████████░░░░]  67 %` */
export function barOf(fraction: number): string {
  const filled = Math.round(fraction * barWidth);
  const percent = `${Math.floor(100 * fraction)} %`.padStart(5);
  return `[${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)}] ${percent}`;
}
