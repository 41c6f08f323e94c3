/**
 * A directory of small records, ROOT/ID/record.json, each sealed with its checksum. A record is created once and never
 * changed. Any number of processes can use one directory at once.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createDirectory, removeDirectory, removeStale } from './create-directory.ts';
import { isCode } from './files.ts';
import { openSealed, seal } from './sealed-json.ts';

const fileName = 'record.json';
const readAtOnce = 32; // files
const settledMs = 3000; // the coarsest clock of a file system ticks every two seconds

export type RecordOptions<Content> = {
  /** Checks the form of a record; null where it has another. */
  readonly parse: (content: object) => Content | null;
  /** Called once for each record that can't be read; it is left out of `list`. */
  readonly onDamaged?: (id: string, reason: string) => void;
};

/** A record that was read, and the file that it was read from: another one of the same name is another record. */
type Known<Content> = { readonly file: string; readonly content: Content | null };

export class SealedRecords<Content extends object> {
  readonly #root: string;
  readonly #options: RecordOptions<Content>;
  readonly #known = new Map<string, Known<Content>>();
  #listed: { readonly time: bigint; readonly found: ReadonlyMap<string, Content> } | null = null;

  constructor(root: string, options: RecordOptions<Content>) {
    this.#root = root;
    this.#options = options;
  }

  /** Returns false where the id is taken. @throws the file system's error */
  async create(id: string, content: Content): Promise<boolean> {
    const isNew = await createDirectory(this.#root, id, { [fileName]: seal(content).bytes });
    if (isNew) await removeStale(this.#root).catch(() => {}); // the next writer tries again
    return isNew;
  }

  /** Null where there is none, or where it is damaged. */
  async read(id: string): Promise<Content | null> {
    const path = join(this.#root, id, fileName);
    try {
      const { ino, ctimeMs } = await stat(path);
      const file = `${ino} ${ctimeMs}`;
      const known = this.#known.get(id);
      if (known?.file === file) return known.content;
      const content = this.#open(id, await readFile(path));
      this.#known.set(id, { file, content });
      return content;
    } catch (error) {
      if (isCode(error, 'ENOENT', 'ENOTDIR')) return null;
      throw error;
    }
  }

  /**
   * All records by id, in no order, but for those that are damaged. Records never change, so while none is created or
   * removed, which the directory's time tells, none is read again. @throws the file system's error
   */
  async list(): Promise<ReadonlyMap<string, Content>> {
    const time = await this.#timeOfChange();
    if (time !== null && time === this.#listed?.time) return this.#listed.found;
    const found = await this.#readAll();
    // A change in the same tick of the file system's clock would go unnoticed: only an older time is trusted.
    const isSettled = time !== null && Date.now() - Number(time / 1_000_000n) > settledMs;
    this.#listed = isSettled ? { time, found } : null;
    return found;
  }

  async #readAll(): Promise<Map<string, Content>> {
    const ids = await this.#ids();
    const found = new Map<string, Content>();
    const next = ids.values();
    const readSome = async () => {
      for (const id of next) {
        const content = await this.read(id);
        if (content) found.set(id, content);
      }
    };
    await Promise.all(Array.from({ length: readAtOnce }, readSome));
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
    return found;
  }

  /** How many there are, damaged ones included. @throws the file system's error */
  async count(): Promise<number> {
    return (await this.#ids()).size;
  }

  /** Returns false where there is none. @throws the file system's error */
  async remove(id: string): Promise<boolean> {
    this.#known.delete(id);
    return removeDirectory(this.#root, id);
  }

  /** When a record was last created or removed, in nanoseconds; null where there has been none. */
  async #timeOfChange(): Promise<bigint | null> {
    try {
      return (await stat(this.#root, { bigint: true })).mtimeNs;
    } catch (error) {
      if (isCode(error, 'ENOENT')) return null;
      throw error;
    }
  }

  async #ids(): Promise<Set<string>> {
    const names = await readdir(this.#root).catch((error: unknown) => {
      if (isCode(error, 'ENOENT')) return [];
      throw error;
    });
    return new Set(names.filter((name) => !name.startsWith('.')));
  }

  #open(id: string, bytes: Uint8Array): Content | null {
    const opened = openSealed(bytes);
    const content = opened.ok ? this.#options.parse(opened.content) : null;
    if (!content) this.#options.onDamaged?.(id, opened.ok ? 'expected another form' : opened.reason);
    return content;
  }
}
