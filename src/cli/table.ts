/** Columns that line up, two spaces apart; numbers to the right. */

export type Column<Row> = {
  readonly head: string;
  readonly right?: boolean;
  readonly cell: (row: Row) => string;
};

export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const lines = [columns.map(({ head }) => head), ...rows.map((row) => columns.map(({ cell }) => cell(row)))];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]!.length)));
  const aligned = lines.map((line) =>
    line.map((text, index) =>
      columns[index]!.right ? text.padStart(widths[index]!) : text.padEnd(widths[index]!),
    ),
  );
  return aligned.map((line) => line.join('  ').trimEnd()).join('\n');
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

/** `12 s`, `5 min`, `3 h`, `2 d` ago. */
export function age(time: string, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(time)) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}
