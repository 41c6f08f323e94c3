/**
 * Reports an outage of Redis when it begins, once for each new cause, and when it ends, however many commands fail. In an
 * outage Redis is away, or it answers and refuses commands (a replica after a failover, a full memory, a missing
 * permission).
 */
import { causeOf, isConsequence, reasonOf, refusalOf } from './errors.ts';

export type Outage = {
  /** A command has failed. `part` names what it was for, such as "reports". */
  failed(part: string, error: unknown): void;
  /** A command has succeeded that may have failed before. */
  worked(part?: string): void;
  /** Why Redis does not work now; null outside an outage. */
  reason(): string | null;
  close(): void;
};

export type OutageOptions = {
  /** Writes a little to Redis. */
  readonly probe: () => Promise<unknown>;
  /**
   * Called when an outage begins and when its cause changes, once for each cause. `refused`: Redis answers and refuses,
   * rather than being away.
   */
  readonly onCause: (reason: string, refused: boolean) => void;
  /** Called as soon as writes succeed again, which they may do several times in one outage. */
  readonly onWorking?: () => void;
  /** Called once, when they have succeeded for a while. */
  readonly onEnd: (seconds: number) => void;
  /** Parts that the rest works without. A command that is refused only to them is no outage. */
  readonly optionalParts?: readonly string[];
  /** Called when Redis refuses a command to an optional part, once an hour for each reason. */
  readonly onPartRefused?: (part: string, reason: string) => void;
  readonly pauses?: ProbePauses;
};

/**
 * The pause before the first probe, and the longest one: the pause doubles after each probe that fails. An outage is over
 * when nothing has failed for `settledMs` after a probe that succeeded: on a busy machine, connections notice the same
 * outage one after another.
 */
export type ProbePauses = {
  readonly firstMs: number;
  readonly longestMs: number;
  readonly settledMs: number;
};

const usualPauses: ProbePauses = { firstMs: 250, longestMs: 2000, settledMs: 1000 };

const hourMs = 3_600_000;
const maxCauses = 10; // told in one outage
const explainedWithinMs = 1000; // the cause of a broken connection is known, or stays unknown

type Trouble = {
  readonly since: number;
  reason: string;
  /** Causes that have been passed to `onCause`. */
  readonly told: Set<string>;
  /** Parts whose commands Redis refuses; a successful probe proves nothing about them. */
  readonly refused: Set<string>;
  isAway: boolean; // the last command got no answer
  endedAt: number | null; // ms, when a probe succeeded; null again after the next failure
  probeNow: () => void;
};

/**
 * The outage ends when a write succeeds and each part whose command was refused (a missing permission) has worked again.
 * A read proves nothing, since replicas answer reads.
 */
export function createOutage(options: OutageOptions): Outage {
  const { optionalParts = [], pauses = usualPauses } = options;
  const isNews = createHourlyFilter();
  let trouble: Trouble | null = null;
  let isClosed = false;

  const note = (begun: Trouble, error: unknown) => noteCause(begun, error, options.onCause);

  const recover = async (begun: Trouble) => {
    for (let pauseMs = pauses.firstMs; ; pauseMs = Math.min(2 * pauseMs, pauses.longestMs)) {
      await pause(begun, pauseMs);
      if (isClosed) return;
      const works = await options.probe().then(
        () => true,
        (error: unknown) => {
          note(begun, error);
          return false;
        },
      );
      if (!works || begun.refused.size > 0) continue;
      const endedAt = performance.now();
      Object.assign(begun, { endedAt, isAway: false });
      options.onWorking?.();
      await pause(begun, pauses.settledMs);
      if (isClosed) return;
      if (begun.endedAt === null) continue;
      trouble = null;
      if (begun.told.size > 0) options.onEnd((endedAt - begun.since) / 1000);
      return;
    }
  };

  return {
    failed: (part, error) => {
      if (isClosed) return;
      const isRefused = refusalOf(error) === 'command';
      if (isRefused && optionalParts.includes(part)) {
        const reason = reasonOf(error);
        if (isNews(`${part}: ${reason}`)) options.onPartRefused?.(part, reason);
        return;
      }
      const begun = trouble ?? beginTrouble();
      if (begun.endedAt !== null) begun.probeNow();
      if (isRefused) begun.refused.add(part);
      note(begun, error);
      if (trouble) return;
      trouble = begun;
      void recover(begun);
    },
    worked: (part) => {
      if (!trouble) return;
      const wasRefused = part !== undefined && trouble.refused.delete(part);
      if (wasRefused || trouble.isAway) trouble.probeNow();
    },
    reason: () => (trouble && trouble.endedAt === null ? trouble.reason : null),
    close: () => {
      isClosed = true;
      trouble?.probeNow();
    },
  };
}

function beginTrouble(): Trouble {
  const since = performance.now();
  return {
    since,
    reason: '',
    told: new Set(),
    refused: new Set(),
    isAway: true,
    endedAt: null,
    probeNow: () => {},
  };
}

function noteCause(trouble: Trouble, error: unknown, onCause: OutageOptions['onCause']): void {
  const reason = reasonOf(error);
  if (trouble.reason === '' || !isConsequence(reason)) trouble.reason = reason;
  trouble.isAway = refusalOf(error) === null;
  trouble.endedAt = null;
  if (isConsequence(trouble.reason) && performance.now() - trouble.since < explainedWithinMs) return;
  const cause = causeOf(trouble.reason);
  if (trouble.told.has(cause) || trouble.told.size >= maxCauses) return;
  trouble.told.add(cause);
  onCause(trouble.reason, cause !== 'away');
}

/** Returns a function that says whether a text is new within an hour. */
function createHourlyFilter(): (text: string) => boolean {
  const passedAt = new Map<string, number>();
  return (text) => {
    const now = performance.now();
    for (const [known, at] of passedAt) if (now - at > hourMs) passedAt.delete(known);
    if (passedAt.has(text)) return false;
    passedAt.set(text, now);
    return true;
  };
}

/** Resolves after `ms`, or at `probeNow`. */
function pause(trouble: Trouble, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    trouble.probeNow = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}
