/** Reports how far an import is: its state, which each report replaces, and its events. */
import type { Logger } from 'pino';
import type { ImportProgress, ImportState } from '../import-contract.ts';
import type { Outage } from '../redis/outage.ts';
import { createReportWriter, type ReportTarget, type Retries } from './report-writer.ts';

const now = () => new Date().toISOString();

export type ImportReporter = ReturnType<typeof createImportReporter>;

export function createImportReporter(
  target: ReportTarget,
  log: Logger,
  outage: Pick<Outage, 'failed' | 'worked'>,
  retries: Retries,
) {
  let state: ImportState = { progress: null, report: null };
  const { write, flush } = createReportWriter(target, log, outage, retries);
  return {
    started: () => write(state, [{ type: 'started', at: now(), attempt: target.attempt }]),
    progress: (progress: ImportProgress) => {
      state = { ...state, progress };
      write(state, [{ type: 'progress', at: now(), ...progress }]);
    },
    /** The report on an archive that is refused. */
    report: (report: ImportState['report']) => {
      state = { ...state, report };
      write(state, []);
    },
    flush,
  };
}
