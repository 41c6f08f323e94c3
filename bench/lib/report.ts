/** What every bench prints at its end: the machine, a table, the bars, and JSON where it was asked for. */
import { cpus } from 'node:os';

/** A figure held against its bar; compared as measured, never as printed. */
export type Verdict = {
  readonly what: string;
  readonly value: number;
  readonly bar: number;
  readonly better: 'more' | 'less';
  readonly unit?: string;
};

export function isMet({ value, bar, better }: Verdict): boolean {
  return better === 'more' ? value >= bar : value <= bar;
}

export function describeMachine() {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
  };
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
    const { what, value, bar, better, unit = '' } = verdict;
    const sign = better === 'more' ? '≥' : '≤';
    return [what, `${exact(value)}${unit}`, `${sign} ${bar}${unit}`, isMet(verdict) ? 'met' : 'missed'];
  });
  return formatTable([['', 'measured', 'bar', ''], ...rows]);
}

/** Three digits after the point for ratios, cut and not rounded, so that a bar that is missed does not look met. */
function exact(value: number): string {
  return Number.isFinite(value) ? (Math.trunc(value * 1000) / 1000).toString() : String(value);
}

function pad(cell: string, width: number, left: boolean): string {
  return left ? cell.padEnd(width) : cell.padStart(width);
}
