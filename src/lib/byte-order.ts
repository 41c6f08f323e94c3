/** Tensors, weights and exported files are little-endian, and are read and written without a copy. */
import { endianness } from 'node:os';
import { TrainyardError } from './errors.ts';

/** @throws TrainyardError `MACHINE_UNSUPPORTED` */
export function expectLittleEndian(order: 'BE' | 'LE' = endianness()): void {
  if (order === 'LE') return;
  throw new TrainyardError(
    'MACHINE_UNSUPPORTED',
    `expected a little-endian machine (x64, arm64, …), got a big-endian one (${process.arch}): Trainyard would misread weights and tensors there; run it on another machine`,
  );
}
