/**
 * Corrections: pictures of which a person has said what they show, to train on. Each is a record in DATA_DIR/corrections,
 * named after its model and pixels, so that the same picture is never corrected twice.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { SealedRecords } from '../../lib/sealed-records.ts';
import { mostLabelLength } from '../data/labels.ts';
import { modelName } from '../registry/names.ts';
import { modelOfSet, writeSet } from './correction-set.ts';
import { correctionIdOf } from './picture-id.ts';

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
export type NewCorrection = Pick<Correction, 'model' | 'label' | 'answer' | 'pixels'>;

export type AddOutcome =
  | { readonly outcome: 'added' | 'known'; readonly correction: Correction }
  | { readonly outcome: 'conflict'; readonly correction: Correction } // the same pixels, another label
  | { readonly outcome: 'full' };

export class Corrections {
  readonly #dataDir: string;
  readonly #records: SealedRecords<z.output<typeof recordSchema>>;

  constructor(dataDir: string, onDamaged?: (id: string, reason: string) => void) {
    this.#dataDir = dataDir;
    this.#records = new SealedRecords(join(dataDir, 'corrections'), {
      parse: (content) => recordSchema.safeParse(content).data ?? null,
      ...(onDamaged && { onDamaged }),
    });
  }

  /** @throws the file system's error */
  async add({ model, label, answer, pixels }: NewCorrection): Promise<AddOutcome> {
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

  /** Null where there is none. */
  async find(id: string): Promise<Correction | null> {
    const record = await this.#records.read(id);
    return record && withPixels(record);
  }

  /** Newest first; of all models unless one is named. */
  async list(model?: string): Promise<Correction[]> {
    const records = [...(await this.#records.list()).values()];
    return records
      .filter((record) => model === undefined || record.correction.model === model)
      .map(withPixels)
      .toSorted((a, b) => compare(b.createdAt, a.createdAt) || compare(b.id, a.id));
  }

  /** Returns false where there is none. */
  remove(id: string): Promise<boolean> {
    return this.#records.remove(id);
  }

  /**
   * Freezes the corrections of a model, as they are now, and returns the SHA-256 of the set. A job trains on these,
   * whatever is corrected or deleted later. Null where there are none.
   */
  async freeze(model: string): Promise<string | null> {
    const corrections = await this.list(model);
    return corrections.length === 0 ? null : writeSet(this.#dataDir, model, corrections);
  }

  /** The model of a frozen set, which counts as used from now on; null where the set is damaged or no longer kept. */
  modelOfSet(sha256: string): Promise<string | null> {
    return modelOfSet(this.#dataDir, sha256);
  }
}

function repeated(correction: Correction, label: string | null): AddOutcome {
  return { outcome: correction.label === label ? 'known' : 'conflict', correction };
}

function withPixels({ correction, pixels }: z.output<typeof recordSchema>): Correction {
  return { ...correction, pixels: new Uint8Array(Buffer.from(pixels, 'base64')) };
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
