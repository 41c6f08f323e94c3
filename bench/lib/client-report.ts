/** What the clients of bench/clients.ts report, and what it is held to. */
import type { Verdict } from './report.ts';

const clients = 2; // Triton's, and a generated stub

/** What a client reports of one way to send the images. */
export type Way = {
  readonly name: string;
  readonly images: number;
  readonly others: number; // labels that differ
  readonly largest: number; // difference of a probability
};
export type Report = {
  readonly versions: Readonly<Record<string, string>>;
  readonly ways: readonly Way[];
  readonly checks: number;
  readonly failures: readonly string[];
};

/** A client that could not be installed misses the first bar: without it nothing would be checked, and nothing missed. */
export function verdictsOn(reports: readonly Report[]): Verdict[] {
  const ran: Verdict = { what: 'clients that ran', value: reports.length, bar: clients, better: 'more' };
  return [ran, ...reports.flatMap(verdictsOf)];
}

function verdictsOf({ versions, ways, checks, failures }: Report): Verdict[] {
  const [name] = Object.keys(versions);
  const others = ways.reduce((sum, way) => sum + way.others, 0);
  const largest = ways.length === 0 ? Number.NaN : Math.max(...ways.map((way) => way.largest));
  return [
    {
      what: `${name}: other labels than /predict, ${ways.length} ways`,
      value: others,
      bar: 0,
      better: 'less',
    },
    {
      what: `${name}: largest difference of a probability`,
      value: 1e6 * largest,
      bar: 10,
      better: 'less',
      unit: ' × 10⁻⁶',
    },
    { what: `${name}: failed checks of ${checks}`, value: failures.length, bar: 0, better: 'less' },
  ];
}
