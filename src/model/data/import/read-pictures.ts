/** The work of one thread of an import: bytes of the archive → 28×28 greys. */

import { messageOf } from '../../../lib/errors.ts';
import { sha256Bytes } from '../../../lib/sha256.ts';
import { decode } from '../../image/decode.ts';
import { type Greys, toGreys } from '../../image/greys.ts';
import { normalise } from '../../image/normalise.ts';
import { type ImageProblem, noInk, notRead } from '../../image/problem.ts';
import { readDigit } from '../../image/read-digit.ts';
import { fitWhole, readWholePicture } from '../../image/whole-picture.ts';
import { type ImageForm, imageSize } from '../dataset.ts';
import type { Place, Read } from './archive.ts';
import { looksDrawn } from './looks-drawn.ts';
import { type EntryFault, fault } from './problem.ts';
import { readEntry } from './read-entry.ts';
import { countOf, type Pictures, type ReadAnswer, type ReadTask } from './read-order.ts';

const hashBytes = 32;

/**
 * @param file the archive, open
 * @param isStopped whether the answer is not wanted any more; it lacks pictures then
 * @throws the file system's error
 */
export async function readPictures(
  file: number,
  task: ReadTask,
  pictures: Pictures,
  isStopped: () => boolean,
): Promise<ReadAnswer> {
  const count = countOf(pictures);
  const isLook = task === 'look';
  const pixels = new Uint8Array(isLook ? 0 : count * imageSize);
  const hashes = new Uint8Array(isLook ? 0 : count * hashBytes);
  const faults: (EntryFault | null)[] = [];
  const drawn: boolean[] = [];
  for (let i = 0; i < count && !isStopped(); i++) {
    const read = isLook ? await look(file, pictures, i) : await readOne(file, task, pictures, i);
    faults.push(read.ok ? null : read.fault);
    if (isLook) drawn.push(read.ok && read.content === true);
    if (!read.ok || typeof read.content === 'boolean') continue;
    pixels.set(read.content, i * imageSize);
    hashes.set(sha256Bytes(read.content), i * hashBytes);
  }
  return { pixels, hashes, drawn, faults };
}

async function readOne(
  file: number,
  form: ImageForm,
  pictures: Pictures,
  i: number,
): Promise<Read<Uint8Array>> {
  if (pictures.kind === 'greys') return readGreyPicture(greysAt(pictures, i), form);
  const entry = readPictureBytes(file, pictures.places[i]!);
  if (!entry.ok) return entry;
  const read = form === 'ink' ? await readDigit(entry.content) : await readWholePicture(entry.content);
  return read.ok ? { ok: true, content: read.pixels } : faulty(read);
}

function readGreyPicture(greys: Greys, form: ImageForm): Read<Uint8Array> {
  try {
    const pixels = form === 'ink' ? normalise(greys) : fitWhole(greys);
    return pixels ? { ok: true, content: pixels } : faulty(noInk(greys));
  } catch (error) {
    return faulty(notRead(greys, messageOf(error)));
  }
}

async function look(file: number, pictures: Pictures, i: number): Promise<Read<boolean>> {
  if (pictures.kind === 'greys') return { ok: true, content: looksDrawn(greysAt(pictures, i)) };
  const entry = readPictureBytes(file, pictures.places[i]!);
  if (!entry.ok) return entry;
  const decoded = await decode(entry.content);
  return decoded.ok ? { ok: true, content: looksDrawn(toGreys(decoded.samples)) } : faulty(decoded);
}

function greysAt({ greys, width, height }: Pictures & { kind: 'greys' }, i: number): Greys {
  const size = width * height;
  return { values: greys.subarray(i * size, (i + 1) * size), width, height };
}

/** First bytes, as Latin-1, of archives. */
const archives = [
  'PK\x03\x04',
  'PK\x05\x06',
  '\x1f\x8b',
  '7z\xbc\xaf',
  'Rar!',
  'BZh',
  '\xfd7zXZ',
  '\x28\xb5\x2f\xfd',
];

function readPictureBytes(file: number, place: Place): Read<Buffer> {
  const read = readEntry(file, place);
  if (!read.ok) return read;
  const head = read.content.toString('latin1', 0, 512);
  const isArchive = archives.some((start) => head.startsWith(start)) || head.startsWith('ustar', 257);
  return isArchive
    ? { ok: false, fault: fault('ARCHIVE_NESTED', 'a picture', 'an archive; unpack it first') }
    : read;
}

/** `expected a PNG …, got text; convert it` in the two parts of a report. */
function faulty({ code, message }: ImageProblem): { readonly ok: false; readonly fault: EntryFault } {
  const [, expected, got] = /^expected (.*?), (?:got|met) (.*)$/su.exec(message) ?? [];
  return { ok: false, fault: fault(code, expected ?? 'a picture', got ?? message) };
}
