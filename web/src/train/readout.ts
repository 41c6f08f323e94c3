/** Text beside a chart's title: the cursor's position and each line's value there. */
import type uPlot from 'uplot';

export type Line = {
  readonly label: string; // empty: not in the legend
  readonly series: number; // which of the series' colours
  readonly isFaint?: boolean;
  readonly x: readonly number[];
  readonly y: readonly number[];
};

type Names = {
  readonly xName: string;
  readonly lines: readonly Line[];
  readonly format: (value: number, step: number) => string;
};

export function showCursor(
  { cursor, data }: uPlot,
  readout: HTMLElement,
  { xName, lines, format }: Names,
): void {
  const index = cursor.idx ?? null;
  if (index === null) return readout.replaceChildren();
  const values = lines.flatMap(({ label, series }, line) => {
    const value = label === '' ? undefined : lastUpTo(data[line + 1], index);
    return value === undefined ? [] : [part(format(value, 0), `var(--series-${series})`)];
  });
  readout.replaceChildren(part(`${xName} ${data[0][index]}`, ''), ...values);
}

/** The last value up to `index`: jobs have different steps, so a line may have no point there. */
function lastUpTo(values: uPlot.AlignedData[number] | undefined, index: number): number | undefined {
  for (let at = index; at >= 0; at--) {
    const value = values?.[at];
    if (typeof value === 'number') return value;
  }
  return undefined;
}

function part(text: string, color: string): HTMLElement {
  const element = document.createElement('b');
  element.textContent = text;
  element.style.color = color;
  return element;
}
