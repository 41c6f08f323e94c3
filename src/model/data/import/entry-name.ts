/** Names of entries, which anybody may have written: nothing is ever opened or created by them. */
import { type EntryFault, fault } from './problem.ts';

export type EntryName =
  | { readonly ok: true; readonly parts: readonly string[] }
  | { readonly ok: false; readonly fault: EntryFault };

/** Backslashes separate too, as in archives from Windows. */
export function readName(raw: string, longest: number): EntryName {
  const wrong = faultOf(raw, longest);
  if (wrong) return { ok: false, fault: wrong };
  const parts = raw.split(/[/\\]/u).filter((part) => part !== '' && part !== '.');
  return { ok: true, parts };
}

function faultOf(raw: string, longest: number): EntryFault | null {
  if (raw.length > longest)
    return fault('PATH_TOO_LONG', `a path of at most ${longest} characters`, `${raw.length}`);
  if (raw.includes('\uFFFD')) return fault('NAME_INVALID', 'a name in UTF-8', 'bytes that are not UTF-8');
  const control = /\p{Cc}/u.exec(raw);
  if (control)
    return fault('NAME_INVALID', 'a name without control characters', `character ${codeOf(control[0])}`);
  if (/^(?:[/\\]|[A-Za-z]:)/u.test(raw)) return fault('PATH_OUTSIDE', 'a relative path', 'an absolute one');
  if (raw.split(/[/\\]/u).includes('..'))
    return fault('PATH_OUTSIDE', 'a path that stays inside the archive', 'one with ".."');
  if (/^[/\\.]*$/u.test(raw)) return fault('NAME_INVALID', 'a name', 'none');
  return null;
}

const codeOf = (character: string) => `U+${character.codePointAt(0)!.toString(16).padStart(4, '0')}`;

const systemFiles = new Set(['thumbs.db', 'ehthumbs.db', 'desktop.ini', '__macosx']);

/** Whether it is what systems leave in folders: dot files, `__MACOSX`, `Thumbs.db`, `desktop.ini`. */
export function isSystemFile(parts: readonly string[]): boolean {
  return parts.some((part) => part.startsWith('.') || systemFiles.has(part.toLowerCase()));
}
