/** What every bench prints at its end: the machine, a table, the bars, and JSON where it was asked for. */
import { cpus, loadavg } from 'node:os';

/** A figure held against its bar; compared as measured, never as printed. */
export type Verdict = {
  readonly what: string;
  readonly value: number;
  readonly bar: number;
  readonly better: 'more' | 'less';
  readonly unit?: string;
};

const loadBefore = loadavg()[0]!; // of the last minute, when the bench began
const busyFrom = 0.5; // processes that compute

/** Not a number is never good enough. */
export function isMet({ value, bar, better }: Verdict): boolean {
  return better === 'more' ? value >= bar : value <= bar;
}

export function describeMachine() {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    node: process.version,
    loadBefore,
    date: new Date().toISOString(),
  };
}

/** A line of warning where something was computing in the minute before the bench, an earlier bench too; else nothing. */
export function formatBusy(load = loadBefore): string {
  if (load < busyFrom) return '';
  return `this machine was busy in the minute before the bench (load ${load.toFixed(1)}): figures may be off\n`;
}

/** Rows under a header, columns padded to their widest cell; all but the first aligned to the right. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => pad(cell, widths[column]!, column === 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function formatVerdicts(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map((verdict) => {
    const { what, bar, better, unit = '' } = verdict;
    const sign = better === 'more' ? '≥' : '≤';
    return [
      what,
      `${towardsMissed(verdict)}${unit}`,
      `${sign} ${bar}${unit}`,
      isMet(verdict) ? 'met' : 'missed',
    ];
  });
  return `${formatBusy()}${formatTable([['', 'measured', 'bar', ''], ...rows])}`;
}

/**
 * One line, the last that a bench prints. A verdict says whether it is met; a number that JSON has no word for
 * (a run that never got there takes infinitely long) is written as a string.
 */
export function toJson(result: object, verdicts: readonly Verdict[]): string {
  const held = verdicts.map((verdict) => ({ ...verdict, met: isMet(verdict) }));
  return JSON.stringify({ ...result, verdicts: held }, (_, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  );
}

/** Three digits after the point, cut to the side of the bar's failing: a bar that is missed never looks met. */
function towardsMissed({ value, better }: Verdict): string {
  if (!Number.isFinite(value)) return String(value);
  const cut = better === 'more' ? Math.floor : Math.ceil;
  return (cut(value * 1000) / 1000).toFixed(3);
}

function pad(cell: string, width: number, left: boolean): string {
  return left ? cell.padEnd(width) : cell.padStart(width);
}
