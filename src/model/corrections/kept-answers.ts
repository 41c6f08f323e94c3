/**
 * Answers that are kept with their pictures, for people to look at and correct: the newest ones in memory, and the least
 * sure ones as records in DATA_DIR/review.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { SealedRecords } from '../../lib/sealed-records.ts';
import { modelName } from '../registry/names.ts';
import { verdicts } from '../serving/answer.ts';
import { predictionIdOf } from './picture-id.ts';
import { usingDirectory } from './using-directory.ts';

export const keptAtMost = {
  newest: 1000, // answers, of this process
  leastSure: 1000, // answers, of all processes
};
const hourMs = 60 * 60 * 1000;
const keptMs = 30 * 24 * hourMs;
const writesAtOnce = 16; // an answer that comes while so many are being written is kept in memory only

export const keptAnswerSchema = z.object({
  predictionId: z.string(),
  model: z.object({ name: modelName, version: z.int().positive() }),
  label: z.string(),
  confidence: z.number().min(0).max(1),
  verdict: z.enum(verdicts),
  score: z.number().min(0).max(1).nullable(),
  at: z.iso.datetime(),
});
const recordSchema = z.object({ format: z.literal(1), answer: keptAnswerSchema, pixels: z.base64() });

export type KeptAnswer = z.output<typeof keptAnswerSchema> & {
  readonly pixels: Uint8Array; // [784], what the network saw
};

export type KeptAnswersOptions = {
  /** Told of what can't be kept; answers go on. */
  readonly onError: (error: unknown) => void;
  /** Told once of each record that can't be read; it is left out of the list. */
  readonly onDamaged?: (predictionId: string, reason: string) => void;
  readonly most?: typeof keptAtMost;
  /** How often records that are too old or too many are deleted. */
  readonly pruneEveryMs?: number;
};

export class KeptAnswers {
  readonly #root: string;
  readonly #records: SealedRecords<z.output<typeof recordSchema>>;
  readonly #newest = new Map<string, KeptAnswer>(); // oldest first
  readonly #leastSure = new Map<string, number>(); // how sure each record is, by id
  readonly #writing = new Map<string, Promise<void>>(); // records under way, by id
  readonly #onError: (error: unknown) => void;
  readonly #most: typeof keptAtMost;
  readonly #pruning: NodeJS.Timeout;
  #surest = 0; // of the records; counts once they are full

  private constructor(dataDir: string, options: KeptAnswersOptions) {
    const { onError, onDamaged, most = keptAtMost, pruneEveryMs = hourMs } = options;
    this.#onError = onError;
    this.#most = most;
    this.#root = join(dataDir, 'review');
    this.#records = new SealedRecords(this.#root, {
      parse: (content) => recordSchema.safeParse(content).data ?? null,
      ...(onDamaged && { onDamaged }),
    });
    this.#pruning = setInterval(() => void this.list().catch(onError), pruneEveryMs).unref();
  }

  static async open(dataDir: string, options: KeptAnswersOptions): Promise<KeptAnswers> {
    const kept = new KeptAnswers(dataDir, options);
    await kept.list().catch(options.onError);
    return kept;
  }

  /**
   * Keeps an answer and returns its id, which is the same for the same picture. Never throws; what is written to disk is
   * written afterwards.
   */
  keep({
    model,
    label,
    confidence,
    verdict,
    score,
    pixels,
  }: Omit<KeptAnswer, 'predictionId' | 'at'>): string {
    const { name, version } = model;
    const predictionId = predictionIdOf(name, pixels);
    const answer = { model: { name, version }, label, confidence, verdict, score, pixels };
    const kept = { ...answer, predictionId, at: new Date().toISOString() };
    this.#newest.delete(predictionId);
    this.#newest.set(predictionId, kept);
    if (this.#newest.size > this.#most.newest) this.#newest.delete(this.#newest.keys().next().value!);
    if (this.#isWorthReview(kept) && this.#writing.size < writesAtOnce) this.#write(kept);
    return predictionId;
  }

  /** Null for one that is kept no longer. */
  async find(predictionId: string): Promise<KeptAnswer | null> {
    const newest = this.#newest.get(predictionId);
    if (newest) return newest;
    const record = await usingDirectory(this.#root, () => this.#records.read(predictionId));
    return record && withPixels(record);
  }

  /**
   * Lists the answers for review, least sure first, and deletes the records that are too old or too many.
   *
   * @throws TrainyardError `CORRECTIONS_UNUSABLE`
   */
  list(): Promise<KeptAnswer[]> {
    return usingDirectory(this.#root, () => this.#listAndPrune());
  }

  async #listAndPrune(): Promise<KeptAnswer[]> {
    const oldest = new Date(Date.now() - keptMs).toISOString();
    const all = [...(await this.#records.list()).values()].map(withPixels);
    const sorted = all.filter(({ at }) => at >= oldest).toSorted((a, b) => surenessOf(a) - surenessOf(b));
    const kept = sorted.slice(0, this.#most.leastSure);
    this.#leastSure.clear();
    for (const answer of kept) this.#leastSure.set(answer.predictionId, surenessOf(answer));
    this.#findSurest();
    const isKept = new Set(kept);
    for (const answer of all) if (!isKept.has(answer)) await this.#records.remove(answer.predictionId);
    return kept;
  }

  /** Takes an answer off the list, also one that is being written. Returns false where it is not on it. */
  async remove(predictionId: string): Promise<boolean> {
    await this.#writing.get(predictionId);
    this.#leastSure.delete(predictionId);
    return usingDirectory(this.#root, () => this.#records.remove(predictionId));
  }

  /** Lists and prunes no more by itself. */
  close(): void {
    clearInterval(this.#pruning);
  }

  #isWorthReview(answer: KeptAnswer): boolean {
    if (this.#leastSure.has(answer.predictionId)) return false; // it is there
    return this.#leastSure.size < this.#most.leastSure || surenessOf(answer) < this.#surest;
  }

  /** Takes the place of the surest one where there is no room. */
  #write(kept: KeptAnswer): void {
    const { predictionId } = kept;
    this.#leastSure.set(predictionId, surenessOf(kept));
    const surplus = this.#leastSure.size > this.#most.leastSure ? this.#findSurest() : null;
    if (surplus !== null) this.#leastSure.delete(surplus);
    this.#findSurest();
    const written = this.#create(kept).finally(() => this.#writing.delete(predictionId));
    this.#writing.set(predictionId, written);
    if (surplus !== null) void this.remove(surplus).catch(this.#onError);
  }

  async #create({ pixels, ...answer }: KeptAnswer): Promise<void> {
    const record = { format: 1 as const, answer, pixels: Buffer.from(pixels).toString('base64') };
    try {
      await this.#records.create(answer.predictionId, record);
    } catch (error) {
      this.#leastSure.delete(answer.predictionId);
      this.#onError(error);
    }
  }

  #findSurest(): string | null {
    let surest: string | null = null;
    this.#surest = 0;
    for (const [id, sureness] of this.#leastSure) {
      if (surest !== null && sureness <= this.#surest) continue;
      this.#surest = sureness;
      surest = id;
    }
    return surest;
  }
}

/** How likely the answer is right, 0 … 1. */
function surenessOf({ confidence, score }: Pick<KeptAnswer, 'confidence' | 'score'>): number {
  return confidence * (score ?? 1);
}

function withPixels({ answer, pixels }: z.output<typeof recordSchema>): KeptAnswer {
  return { ...answer, pixels: new Uint8Array(Buffer.from(pixels, 'base64')) };
}
