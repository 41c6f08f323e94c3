/** A line chart drawn by uPlot; for screen readers an image with a summary. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useApp } from '../app-context.ts';
import { type Line, showCursor } from './readout.ts';

type Props = {
  title: string;
  xName: string;
  lines: readonly Line[];
  /** `step` is the distance between two marks of the axis. */
  format: (value: number, step: number) => string;
  yRange?: (min: number, max: number) => [min: number, max: number];
  summary: string;
  /** x counts few whole things: each is a dot, and the axis starts at 1. */
  isCounted?: boolean;
};

const height = 220; // px

export function Chart(props: Props) {
  const { scheme } = useApp().theme;
  const { title, lines, summary } = props;
  const place = useRef<HTMLDivElement>(null);
  const readout = useRef<HTMLSpanElement>(null);
  const plot = useRef<uPlot | null>(null);
  const look = lines.map(({ label, series }) => `${label}/${series}`).join();
  useEffect(() => {
    const element = place.current!;
    const setCursor = (at: uPlot) => showCursor(at, readout.current!, props);
    const options = { ...optionsOf(element, props), hooks: { setCursor: [setCursor] } };
    const made = new uPlot(options, dataOf(lines), element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [look, scheme.value]);
  useEffect(() => plot.current?.setData(dataOf(lines)), [lines]);
  return (
    <figure class="chart">
      <figcaption>
        {title}
        <span ref={readout} aria-hidden="true" />
      </figcaption>
      <div ref={place} class="chart-place" role="img" aria-label={`${title}. ${summary}`} />
    </figure>
  );
}

function dataOf(lines: readonly Line[]): uPlot.AlignedData {
  if (lines.length === 0) return [[], []];
  return uPlot.join(lines.map(({ x, y }) => [[...x], [...y]]));
}

function optionsOf(place: HTMLElement, { lines, format, yRange, isCounted = false }: Props): uPlot.Options {
  const { color: ink, font } = styleOf(place, '--muted');
  const grid = { stroke: styleOf(place, '--line').color, width: 1 };
  const axis = { stroke: ink, font, grid, ticks: { show: false } };
  return {
    width: place.clientWidth,
    height,
    padding: [10, 10, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    scales: {
      x: { time: false, range: (_, min, max) => xRange(min, max, isCounted) },
      ...(yRange && { y: { range: (_, min, max) => yRange(min ?? 0, max ?? 1) } }),
    },
    axes: [
      { ...axis, size: 30, ...(isCounted && { incrs: [1, 2, 5, 10, 20, 50, 100, 200] }) },
      { ...axis, size: 58, values: (_, splits) => splits.map((value) => format(value, stepOf(splits))) },
    ],
    series: [{}, ...lines.map((line) => seriesOf(place, line, isCounted))],
  };
}

function seriesOf(place: HTMLElement, { series, isFaint = false }: Line, isCounted: boolean): uPlot.Series {
  const { color } = styleOf(place, `--series-${series}`);
  return {
    stroke: color,
    width: isFaint ? 1 : 2,
    alpha: isFaint ? 0.3 : 1,
    spanGaps: true, // jobs have steps of their own
    points: { show: isCounted, size: 7, fill: color },
  };
}

function xRange(min: number | null, max: number | null, isCounted: boolean): uPlot.Range.MinMax {
  if (isCounted) return [0.5, Math.max(2, max ?? 0) + 0.5];
  return [Math.min(0, min ?? 0), Math.max(10, max ?? 0)];
}

function stepOf([first = 0, second = 1]: readonly number[]): number {
  return Math.abs(second - first);
}

/** Resolves a custom property to a colour: a canvas does not know `light-dark()`. */
function styleOf(place: HTMLElement, property: string): { color: string; font: string } {
  const probe = place.appendChild(document.createElement('span'));
  probe.style.color = `var(${property})`;
  const { color, fontFamily } = getComputedStyle(probe);
  probe.remove();
  return { color, font: `12px ${fontFamily}` };
}
