/** How long a training would take and what speaks against it, before it is started. */
import { type DryRun, pause, type TrainRequest, tryJob } from '../../../src/client/index.ts';
import { type Outcome, outcomeOf } from '../api/outcome.ts';
import { useAnswer } from '../api/use-answer.ts';
import { useApp } from '../app-context.ts';
import { duration } from '../ui/format.ts';
import { sentence } from '../ui/sentence.ts';

const typingMs = 500; // a pause so long ends what is typed

type Answer = { readonly asked: string; readonly trial: DryRun } | null;

/** @param request null: nothing is asked. The place is as high with words as without. */
export function Expectation({ request: known }: { request: TrainRequest | null }) {
  const { client, isAway } = useApp().api;
  const request = isAway.value ? null : known;
  const asked = JSON.stringify(request);
  const { data } = useAnswer(
    async (signal): Promise<Outcome<Answer>> => {
      await pause(request === null ? 0 : typingMs, signal);
      if (request === null || signal.aborted) return { ok: true, data: null };
      const outcome = await outcomeOf(tryJob(client, request, signal));
      return outcome.ok ? { ok: true, data: { asked, trial: outcome.data } } : outcome;
    },
    [asked],
  );
  const trial = data?.asked === asked ? data.trial : null; // the answer to an earlier request says nothing
  const warnings = trial?.warnings ?? [];
  const scrolls = warnings.length > 0 && { tabIndex: 0, role: 'region' as const, 'aria-label': 'Warnings' };
  return (
    <div class="expectation small" aria-live="polite" {...scrolls}>
      {trial && <p class="quiet">{timeOf(trial)}</p>}
      {warnings.map(({ message }) => (
        <p key={message}>{sentence(message)}</p>
      ))}
    </div>
  );
}

function timeOf({ forecast }: DryRun): string {
  return forecast === null
    ? 'How long it takes is known once a first job has run.'
    : `Takes at most ${duration(Math.max(1, forecast.seconds))}.`;
}
