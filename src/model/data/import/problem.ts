/** What can be wrong with an archive as a whole, and with one of its entries. */

/** A problem of one entry. The import goes on without it. */
export type EntryProblem = {
  readonly path: string; // as the archive has it, made printable
  readonly code: EntryProblemCode;
  readonly expected: string;
  readonly got: string;
};

export type EntryProblemCode =
  | 'NAME_INVALID'
  | 'NAME_ALIKE'
  | 'PATH_OUTSIDE'
  | 'PATH_TOO_LONG'
  | 'ENTRY_NOT_A_FILE'
  | 'ENTRY_ENCRYPTED'
  | 'ENTRY_COMPRESSION_UNSUPPORTED'
  | 'ENTRY_TOO_LARGE'
  | 'ENTRY_BOMB'
  | 'ENTRY_DAMAGED'
  | 'ARCHIVE_NESTED'
  | 'LAYOUT_UNKNOWN'
  | 'LABEL_INVALID'
  | 'METADATA_INVALID'
  | 'FILE_MISSING'
  | 'PICTURE_UNLABELLED'
  | 'PICTURE_LABELLED_TWICE'
  | 'IMAGE_EMPTY'
  | 'IMAGE_TYPE_UNSUPPORTED'
  | 'IMAGE_TOO_LARGE'
  | 'IMAGE_NOT_DECODABLE'
  | 'IMAGE_NO_INK'
  | 'IMAGE_NOT_READ';

/** A problem of the whole archive. The import ends with it. */
export type Refusal = { readonly ok: false; readonly code: RefusalCode; readonly message: string };

export type RefusalCode =
  | 'ARCHIVE_TYPE_UNKNOWN'
  | 'ARCHIVE_TRUNCATED'
  | 'ARCHIVE_DAMAGED'
  | 'ARCHIVE_AMBIGUOUS'
  | 'ARCHIVE_OVERLAPPING'
  | 'ARCHIVE_TOO_LARGE'
  | 'ARCHIVE_BOMB'
  | 'ARCHIVE_TOO_MANY_ENTRIES'
  | 'DATASET_EMPTY'
  | 'DATASET_LABELS'
  | 'DATASET_NAME_TAKEN'
  | 'DATASETS_FULL'
  | 'IDX_INVALID';

export function refuse(code: RefusalCode, message: string): Refusal {
  return { ok: false, code, message };
}

/** What reading one entry gives. */
export type EntryFault = Omit<EntryProblem, 'path'>;

export function fault(code: EntryProblemCode, expected: string, got: string): EntryFault {
  return { code, expected, got: legible(got) };
}

const longestShown = 256; // characters
const longestQuoted = 100; // characters

/** What came, for a message: its beginning where it is long. */
export function shown(text: string): string {
  return text.length > longestQuoted ? `${text.slice(0, longestQuoted - 1)}…` : text;
}

/** A path of an archive for people to read: nothing in it moves a cursor or turns the text round. */
export function printable(path: string): string {
  const safe = legible(path);
  return safe.length > longestShown ? `${safe.slice(0, longestShown - 1)}…` : safe;
}

const legible = (text: string) => text.replaceAll(/[\p{Cc}\p{Bidi_Control}\p{Cs}]/gu, escaped);

function escaped(character: string): string {
  return `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`;
}
