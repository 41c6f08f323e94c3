/**
 * Which files of an archive are pictures of what: `[split/]label/picture`, or a table (metadata.ts). The names of labels and
 * splits come from folders; a folder around everything says nothing.
 */
import { groupBy } from '../../../lib/group-by.ts';
import type { ArchiveEntry } from './archive.ts';
import { labelOf, type SplitName, splitOf } from './labels.ts';
import type { MetadataRow } from './metadata.ts';
import { type EntryFault, fault, shown } from './problem.ts';

/** What a path says about a picture. */
export type Placed = { readonly label: string; readonly split: SplitName | null };

export type LabelledFile = Placed & { readonly entry: ArchiveEntry };
export type UnusedFile = { readonly parts: readonly string[]; readonly fault: EntryFault };

export type Layout = { readonly files: LabelledFile[]; readonly unused: UnusedFile[] };

/** A table and the folder that it lies in, from which its file names count. */
export type Table = { readonly folder: readonly string[]; readonly rows: readonly MetadataRow[] };

const pictureNames = /\.(?:png|jpe?g|jfif|webp|avif|gif|tiff?|bmp)$/iu;

export function layOutFolders(entries: readonly ArchiveEntry[]): Layout {
  const named = entries.filter(({ parts }) => pictureNames.test(parts.at(-1)!));
  const pictures = (named.length > 0 ? named : entries).map(({ parts }) => parts);
  const common = commonFolders(pictures);
  const inSplit = (parts: readonly string[]) =>
    parts.length === common.length + 3 && splitOf(parts[common.length]!) !== null;
  const hasSplits = 2 * pictures.filter(inSplit).length > pictures.length;
  return sortOut(entries, ({ parts }) => placeOf(parts, common, hasSplits));
}

/** The folders around all pictures, as long as two more parts follow: a label and a file. */
function commonFolders(paths: readonly (readonly string[])[]): readonly string[] {
  const [first = []] = paths;
  let depth = 0;
  while (paths.every((parts) => parts.length >= depth + 3 && parts[depth] === first[depth])) {
    if (paths.length === 0) break;
    depth++;
  }
  return first.slice(0, depth);
}

function placeOf(
  parts: readonly string[],
  common: readonly string[],
  hasSplits: boolean,
): Placed | EntryFault {
  const inside = parts.slice(common.length);
  const isInside = common.every((folder, i) => parts[i] === folder);
  const expected = hasSplits ? 'train/label/picture or test/label/picture' : 'label/picture';
  const split = hasSplits && isInside ? splitOf(inside[0] ?? '') : null;
  const isPlaced = isInside && inside.length === (hasSplits ? 3 : 2) && (!hasSplits || split !== null);
  if (!isPlaced) return fault('LAYOUT_UNKNOWN', expected, shownPath(isInside ? inside : parts));
  const label = labelOf(inside.at(-2)!);
  if (label === null)
    return fault('LABEL_INVALID', 'a label of 1 to 64 characters', shownPath(inside.slice(-2, -1)));
  return { label, split };
}

const shownPath = (parts: readonly string[]) => shown(parts.join('/'));

/** Where tables name the labels. A picture's split comes from the table, or else from the folders that it lies in. */
export function layOutByTables(entries: readonly ArchiveEntry[], tables: readonly Table[]): Layout {
  const rows = new Map<string, MetadataRow[]>();
  for (const { folder, rows: own } of tables) {
    for (const row of own) {
      const key = keyOf([...folder, ...partsOf(row.fileName)]);
      const known = rows.get(key);
      if (known) known.push(row);
      else rows.set(key, [row]);
    }
  }
  const seen = new Set<string>();
  const layout = sortOut(entries, ({ parts }) => {
    seen.add(keyOf(parts));
    return placeByRows(parts, rows.get(keyOf(parts)) ?? []);
  });
  for (const [key, [row]] of rows) if (!seen.has(key)) layout.unused.push(missing(key, row!));
  return layout;
}

const partsOf = (path: string) => path.split(/[/\\]/u).filter((part) => part !== '' && part !== '.');
const keyOf = (parts: readonly string[]) => parts.join('/').normalize('NFC');

function placeByRows(parts: readonly string[], rows: readonly MetadataRow[]): Placed | EntryFault {
  const [row] = rows;
  if (!row) return fault('PICTURE_UNLABELLED', 'a line about it in the metadata file', 'none');
  const other = rows.find(({ label, split }) => label !== row.label || split !== row.split);
  if (other)
    return fault(
      'PICTURE_LABELLED_TWICE',
      'one label',
      `${row.label} and ${other.label} in the metadata file`,
    );
  const word = parts.slice(0, -1).find((part) => splitOf(part) !== null);
  return { label: row.label, split: row.split ?? (word === undefined ? null : splitOf(word)) };
}

function missing(key: string, { line }: MetadataRow): UnusedFile {
  return {
    parts: key.split('/'),
    fault: fault('FILE_MISSING', `a file, named in line ${line} of the metadata file`, 'none'),
  };
}

/** Refuses files whose names would be one on systems that ignore case or Unicode's normal forms. */
function sortOut(
  entries: readonly ArchiveEntry[],
  place: (entry: ArchiveEntry) => Placed | EntryFault,
): Layout {
  const layout: Layout = { files: [], unused: [] };
  const files: LabelledFile[] = [];
  for (const entry of entries) {
    const placed = place(entry);
    if ('code' in placed) layout.unused.push({ parts: entry.parts, fault: placed });
    else files.push({ ...placed, entry });
  }
  for (const group of groupBy(files, ({ entry }) => foldedPath(entry.parts)).values()) {
    if (group.length === 1) layout.files.push(group[0]!);
    else for (const { entry } of group) layout.unused.push({ parts: entry.parts, fault: alike(group) });
  }
  return layout;
}

/** Folders of labels may differ by case only, as those of A and a do: nothing is written under these names. */
function foldedPath(parts: readonly string[]): string {
  const normal = parts.map((part) => part.normalize('NFC'));
  const label = normal.length - 2;
  return normal.map((part, i) => (i === label ? part : part.toLowerCase())).join('/');
}

function alike(group: readonly LabelledFile[]): EntryFault {
  const names = group.slice(0, 3).map(({ entry }) => shownPath(entry.parts));
  const expected = 'names that differ by more than case and Unicode form';
  return fault('NAME_ALIKE', expected, `${group.length} alike: ${names.join(', ')}`);
}
