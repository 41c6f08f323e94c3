/**
 * Corrections: pictures of which a person has said what they show, to train on. Each is a record in DATA_DIR/corrections,
 * named after its model and pixels, so that the same picture is never corrected twice.
 */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { exists } from '../../lib/files.ts';
import { SealedRecords } from '../../lib/sealed-records.ts';
import { mostLabelLength } from '../data/labels.ts';
import { modelName } from '../registry/names.ts';
import { modelOfSet, type SetsInUse, setsIn, writeSet } from './correction-set.ts';
import { correctionIdOf } from './picture-id.ts';
import { usingDirectory } from './using-directory.ts';

export const mostCorrections = 10_000; // of all models together

const error = "expected one of the model's labels, or null for none of them";
export const correctionLabel = z
  .string({ error })
  .min(1, { error })
  .max(mostLabelLength, { error })
  .nullable()
  .describe('What the picture shows; null: none of the labels');

/** What a version made of the picture. */
const answerSchema = z.object({
  version: z.int().positive(),
  label: z.string(),
  confidence: z.number(),
  verdict: z.string(),
});

export const correctionSchema = z.object({
  id: z.string().describe('Follows from the model and the pixels'),
  model: modelName,
  label: correctionLabel,
  answer: answerSchema.describe('What the model said when the picture was corrected'),
  createdAt: z.iso.datetime(),
});
const recordSchema = z.object({ format: z.literal(1), correction: correctionSchema, pixels: z.base64() });

export type Correction = z.output<typeof correctionSchema> & {
  readonly pixels: Uint8Array; // [784], what the network saw
};
export type StoredCorrection = z.output<typeof recordSchema>;
export type NewCorrection = Pick<Correction, 'model' | 'label' | 'answer' | 'pixels'>;

export type AddOutcome =
  | { readonly outcome: 'added' | 'known'; readonly correction: Correction }
  | { readonly outcome: 'conflict'; readonly correction: Correction } // the same pixels, another label
  | { readonly outcome: 'full' };

export class Corrections {
  readonly #dataDir: string;
  readonly #root: string;
  readonly #records: SealedRecords<StoredCorrection>;

  constructor(dataDir: string, onDamaged?: (id: string, reason: string) => void) {
    this.#dataDir = dataDir;
    this.#root = join(dataDir, 'corrections');
    this.#records = new SealedRecords(this.#root, {
      parse: (content) => recordSchema.safeParse(content).data ?? null,
      ...(onDamaged && { onDamaged }),
    });
  }

  /** @throws TrainyardError `CORRECTIONS_UNUSABLE`, as all below; the system's error where the disk is full */
  add(correction: NewCorrection): Promise<AddOutcome> {
    return usingDirectory(this.#root, () => this.#add(correction));
  }

  /** Null where there is none. */
  async find(id: string): Promise<Correction | null> {
    const record = await usingDirectory(this.#root, () => this.#records.read(id));
    return record && withPixels(record);
  }

  /** Newest first; of all models unless one is named. Their pixels are as they are stored: see `withPixels`. */
  async list(model?: string): Promise<StoredCorrection[]> {
    const records = await usingDirectory(this.#root, () => this.#records.list());
    return [...records.values()]
      .filter(({ correction }) => model === undefined || correction.model === model)
      .toSorted(
        ({ correction: a }, { correction: b }) => compare(b.createdAt, a.createdAt) || compare(b.id, a.id),
      );
  }

  /** Returns false where there is none. */
  remove(id: string): Promise<boolean> {
    return usingDirectory(this.#root, () => this.#records.remove(id));
  }

  /** Resolves with how many there are, where they can be read and written. */
  async check(): Promise<number> {
    return usingDirectory(this.#root, async () => {
      if (await exists(this.#root)) await access(this.#root, constants.W_OK | constants.X_OK);
      return this.#records.count();
    });
  }

  /**
   * Freezes the corrections of a model, as they are now, and returns the SHA-256 of the set. A job trains on these,
   * whatever is corrected or deleted later. Null where there are none. Of too many sets the oldest go, but for those in use.
   */
  async freeze(model: string, setsInUse: SetsInUse): Promise<string | null> {
    const stored = await this.list(model);
    if (stored.length === 0) return null;
    const items = stored.map(withPixels);
    return usingDirectory(setsIn(this.#dataDir), () => writeSet(this.#dataDir, model, items, setsInUse));
  }

  /** The model of a frozen set, which counts as used from now on; null where the set is damaged or no longer kept. */
  modelOfSet(sha256: string): Promise<string | null> {
    return usingDirectory(setsIn(this.#dataDir), () => modelOfSet(this.#dataDir, sha256));
  }

  async #add({ model, label, answer, pixels }: NewCorrection): Promise<AddOutcome> {
    const id = correctionIdOf(model, pixels);
    const known = await this.find(id);
    if (known) return repeated(known, label);
    if ((await this.#records.count()) >= mostCorrections) return { outcome: 'full' };
    const correction = { id, model, label, answer, createdAt: new Date().toISOString() };
    const record = { format: 1 as const, correction, pixels: Buffer.from(pixels).toString('base64') };
    while (!(await this.#records.create(id, record))) {
      const first = await this.find(id);
      if (first) return repeated(first, label); // another call was faster
      await this.#records.remove(id); // a damaged one
    }
    return { outcome: 'added', correction: { ...correction, pixels } };
  }
}

function repeated(correction: Correction, label: string | null): AddOutcome {
  return { outcome: correction.label === label ? 'known' : 'conflict', correction };
}

export function withPixels({ correction, pixels }: StoredCorrection): Correction {
  return { ...correction, pixels: new Uint8Array(Buffer.from(pixels, 'base64')) };
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
