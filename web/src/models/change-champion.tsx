/** Promotes a version, or rolls the champion back, after a confirmation that shows the gate's numbers. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Model } from '../../../src/client/index.ts';
import type { Problem } from '../api/outcome.ts';
import { useAnswer } from '../api/use-answer.ts';
import { useApp, useStore } from '../app-context.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { GateNumbers } from './gate-numbers.tsx';
import { makeChange, type Offer, readOffer, type Wish } from './offer.ts';
import { championAlias, createRegistry } from './registry.ts';

/** One button for both, so that the focus is on it before and after the change. */
export function ChangeChampion({ model: { model, version, aliases } }: { model: Model }) {
  const [wish, setWish] = useState<Wish | null>(null);
  const kind = aliases.includes(championAlias) ? 'rollBack' : 'promote';
  return (
    <>
      <button type="button" class="button" onClick={() => setWish({ kind, model, version })}>
        {kind === 'rollBack' ? 'Roll back' : 'Promote'}
      </button>
      {wish && <Confirmation wish={wish} close={() => setWish(null)} />}
    </>
  );
}

type Props = { wish: Wish; close: () => void };

function Confirmation({ wish, close }: Props) {
  const { api } = useApp();
  const { put } = useStore(createRegistry);
  const dialog = useRef<HTMLDialogElement>(null);
  const reason = useRef<HTMLInputElement>(null);
  const [refused, setRefused] = useState<Problem | null>(null);
  const [isAsked, setAsked] = useState(false);
  const offer = useAnswer((signal) => readOffer(api, wish, signal), [wish]);
  useEffect(() => dialog.current!.showModal(), []);
  const canChange = offer.data !== null && hindranceOf(wish, offer.data) === null && !isAsked;
  const change = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!canChange) return;
    setAsked(true);
    const outcome = await makeChange(api, wish, offer.data, reason.current?.value.trim() ?? '');
    setAsked(false);
    setRefused(outcome.ok ? null : outcome.problem);
    if (outcome.ok) {
      put(outcome.data);
      dialog.current?.close();
    } else if (outcome.problem.code === 'REGISTRY_CHANGED') offer.reload();
  };
  return (
    <dialog
      ref={dialog}
      class="dialog change"
      aria-labelledby="change-title"
      aria-describedby="change-sentence"
      onClose={close}
    >
      <form onSubmit={(event) => void change(event)}>
        <h2 id="change-title">{titleOf(wish)}</h2>
        <p id="change-sentence" role="status">
          {offer.data && sentenceOf(wish, offer.data)}
        </p>
        <GateNumbers offer={offer.data} />
        <label for="change-reason">Reason, kept in the history</label>
        <input ref={reason} id="change-reason" maxLength={1000} autocomplete="off" placeholder="optional" />
        {refused?.code === 'REGISTRY_CHANGED' ? (
          <p class="field-problem" role="alert">
            Not changed: somebody else has changed this model meanwhile. This is how it is now.
          </p>
        ) : (
          <ProblemNote problem={refused ?? offer.problem} />
        )}
        <div class="dialog-buttons">
          <button type="button" class="button" onClick={() => dialog.current!.close()}>
            Cancel
          </button>
          <button type="submit" class="button is-main" aria-disabled={!canChange}>
            {wish.kind === 'promote' ? 'Promote' : 'Roll back'}
          </button>
        </div>
      </form>
    </dialog>
  );
}

function titleOf({ kind, version }: Wish): string {
  return kind === 'promote' ? `Promote version ${version}` : 'Roll back';
}

function sentenceOf(wish: Wish, offer: Offer): string {
  const hindrance = hindranceOf(wish, offer);
  if (hindrance !== null) return hindrance;
  const again = wish.kind === 'promote' ? 'answers' : 'answers again';
  return `Version ${offer.to} then ${again}, in place of version ${offer.from}.`;
}

/** Why there is nothing to change. */
function hindranceOf({ kind, model }: Wish, { from, to }: Offer): string | null {
  if (to === null) return `No champion of ${model} is known before version ${from}; promote another version.`;
  return kind === 'promote' && to === from ? `Version ${to} is champion already.` : null;
}
