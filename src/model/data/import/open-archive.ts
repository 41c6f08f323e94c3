/** Opens an archive on disk, whatever its name: the bytes tell a zip, a tar and a tar.gz apart. */
import { createReadStream, createWriteStream } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { messageOf } from '../../../lib/errors.ts';
import { isCode } from '../../../lib/files.ts';
import type { ListedArchive } from './archive.ts';
import { archiveHeadBytes, archiveTypeOf } from './archive-type.ts';
import { bomb } from './collect-entries.ts';
import type { Limits } from './limits.ts';
import { type Refusal, refuse } from './problem.ts';
import { listTar } from './tar-headers.ts';
import { listZip } from './zip-directory.ts';

/**
 * Lists what is in it. A tar.gz is inflated into `staging` first, so that threads can read its entries in any order.
 *
 * @throws the file system's error
 */
export async function openArchive(
  path: string,
  staging: string,
  limits: Limits,
): Promise<ListedArchive | Refusal> {
  const { size } = await stat(path);
  const type = archiveTypeOf(await head(path));
  if (type === 'zip') return listZip(path, limits);
  if (type === 'tar') return listTar(path, limits, size);
  if (type === 'gzip') return openGzip(path, staging, limits, size);
  return type;
}

async function openGzip(path: string, staging: string, limits: Limits, size: number) {
  const inflated = join(staging, 'archive.tar');
  const refusal = await gunzip(path, inflated, limits, size);
  if (refusal) return refusal;
  if (archiveTypeOf(await head(inflated)) === 'tar') return listTar(inflated, limits, size);
  await rm(inflated);
  return refuse('ARCHIVE_TYPE_UNKNOWN', 'expected a tar within the gzip, got something else');
}

async function head(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(archiveHeadBytes), 0, archiveHeadBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Inflates within the limits. Returns why it stopped, if it did. */
async function gunzip(from: string, to: string, limits: Limits, size: number): Promise<Refusal | null> {
  const most = Math.min(limits.inflatedBytes, Math.max(limits.archiveRatio * size, 64 * limits.smallBytes));
  let inflated = 0; // bytes
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      inflated += chunk.length;
      done(inflated > most ? new Error('too many bytes') : null, chunk);
    },
  });
  try {
    await pipeline(createReadStream(from), createGunzip(), count, createWriteStream(to));
    return null;
  } catch (error) {
    if (inflated > most) return most < limits.inflatedBytes ? bomb(limits.archiveRatio) : tooLarge(most);
    const isCut = isCode(error, 'Z_BUF_ERROR');
    if (isCut)
      return refuse('ARCHIVE_TRUNCATED', 'expected a whole gzip, got one that was cut off; send it again');
    if (!isCode(error, 'Z_DATA_ERROR')) throw error;
    return refuse('ARCHIVE_DAMAGED', `expected a gzip, got: ${messageOf(error)}; pack it anew`);
  }
}

function tooLarge(most: number): Refusal {
  return refuse(
    'ARCHIVE_TOO_LARGE',
    `expected at most ${most} bytes inflated, got more; scale pictures down`,
  );
}
