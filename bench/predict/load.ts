/** The loads that POST /predict is put under, and what came of one. */
import { measure, tsProgram } from '../lib/measure.ts';
import type { Pictures } from '../lib/pictures.ts';

export type Load = {
  readonly perSecond: number;
  readonly p50: number; // ms, as all latencies
  readonly p95: number;
  readonly p99: number;
  readonly count: number;
  readonly errors: 0; // one would have ended the bench
  readonly from: number; // when it counted, ms since 1970
  readonly to: number;
};

export type Scenario = {
  readonly name: string;
  readonly connections: number;
  readonly pictures: 'small' | 'canvas';
  readonly rate?: number; // requests a second that are due; else as fast as answers come
};

export const small: Scenario = { name: '28×28, 16 connections', connections: 16, pictures: 'small' };
export const canvas: Scenario = { name: '280×280, 16 connections', connections: 16, pictures: 'canvas' };
export const single: Scenario = { name: '28×28, 1 connection', connections: 1, pictures: 'small' };
/** A load that leaves the service time to rest, as most services are used; its clock does not wait for answers. */
export const open: Scenario = {
  name: '28×28, 200 requests/s',
  connections: 64,
  pictures: 'small',
  rate: 200,
};

/** Puts a server under a load; throws when any answer is not a 200. */
export type LoadOf = (what: string, url: string, scenario: Scenario, seconds?: number) => Promise<Load>;

/** @param usualSeconds how long a load is, unless its caller says otherwise */
export function loader(pictures: Pictures, usualSeconds: number): LoadOf {
  return (what, url, { name, connections, pictures: kind, rate = 0 }, seconds = usualSeconds) => {
    const args = [url, String(connections), String(seconds), pictures[kind], String(rate)];
    return measure<Load>(`${what}: ${name}`, tsProgram('load.ts', args));
  };
}
