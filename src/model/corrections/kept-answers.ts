/**
 * Answers that are kept with their pictures, for people to look at and correct: the newest ones in memory, and the least
 * sure ones as records in DATA_DIR/review.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { SealedRecords } from '../../lib/sealed-records.ts';
import { modelName } from '../registry/names.ts';
import { verdicts } from '../serving/answer.ts';

export const keptAtMost = {
  newest: 1000, // answers, of this process
  leastSure: 1000, // answers, of all processes
};
const daysKept = 30;
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

export class KeptAnswers {
  readonly #records: SealedRecords<z.output<typeof recordSchema>>;
  readonly #newest = new Map<string, KeptAnswer>(); // oldest first
  readonly #leastSure = new Map<string, number>(); // how sure each record is, by id
  readonly #onError: (error: unknown) => void;
  readonly #most: typeof keptAtMost;
  #surest = 0; // of the records; counts once they are full
  #writes = 0; // under way

  private constructor(dataDir: string, onError: (error: unknown) => void, most: typeof keptAtMost) {
    this.#onError = onError;
    this.#most = most;
    this.#records = new SealedRecords(join(dataDir, 'review'), {
      parse: (content) => recordSchema.safeParse(content).data ?? null,
      onDamaged: (id, reason) => onError(new Error(`answer ${id}, kept for review: ${reason}`)),
    });
  }

  /** `onError`: told of what can't be kept; answers go on. */
  static async open(
    dataDir: string,
    onError: (error: unknown) => void,
    most = keptAtMost,
  ): Promise<KeptAnswers> {
    const kept = new KeptAnswers(dataDir, onError, most);
    await kept.list().catch(onError);
    return kept;
  }

  /** Keeps an answer and returns its id. Never throws; what is written to disk is written afterwards. */
  keep({
    model,
    label,
    confidence,
    verdict,
    score,
    pixels,
  }: Omit<KeptAnswer, 'predictionId' | 'at'>): string {
    const predictionId = randomUUID();
    const { name, version } = model;
    const answer = { model: { name, version }, label, confidence, verdict, score, pixels };
    const kept = { ...answer, predictionId, at: new Date().toISOString() };
    this.#newest.set(predictionId, kept);
    if (this.#newest.size > this.#most.newest) this.#newest.delete(this.#newest.keys().next().value!);
    if (this.#isWorthReview(kept) && this.#writes < writesAtOnce) void this.#write(kept);
    return predictionId;
  }

  /** Null for one that is kept no longer. */
  async find(predictionId: string): Promise<KeptAnswer | null> {
    const newest = this.#newest.get(predictionId);
    if (newest) return newest;
    const record = await this.#records.read(predictionId);
    return record && withPixels(record);
  }

  /** Lists the answers for review, least sure first, and deletes the records that are too old or too many. */
  async list(): Promise<KeptAnswer[]> {
    const oldest = new Date(Date.now() - daysKept * 24 * 60 * 60 * 1000).toISOString();
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

  /** Takes an answer off the list. Returns false where it is not on it. */
  async remove(predictionId: string): Promise<boolean> {
    this.#leastSure.delete(predictionId);
    return this.#records.remove(predictionId);
  }

  #isWorthReview(answer: KeptAnswer): boolean {
    return this.#leastSure.size < this.#most.leastSure || surenessOf(answer) < this.#surest;
  }

  /** Takes the place of the surest one where there is no room. */
  async #write({ pixels, ...answer }: KeptAnswer): Promise<void> {
    const { predictionId } = answer;
    this.#writes++;
    this.#leastSure.set(predictionId, surenessOf(answer));
    const surplus = this.#leastSure.size > this.#most.leastSure ? this.#findSurest() : null;
    if (surplus !== null) this.#leastSure.delete(surplus);
    this.#findSurest();
    try {
      const record = { format: 1 as const, answer, pixels: Buffer.from(pixels).toString('base64') };
      await this.#records.create(predictionId, record);
      if (surplus !== null) await this.#records.remove(surplus);
    } catch (error) {
      this.#leastSure.delete(predictionId);
      this.#onError(error);
    } finally {
      this.#writes--;
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
