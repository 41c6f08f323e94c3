/** A quadratic surface through the paper of a picture. */
import type { Greys } from './greys.ts';

const rounds = 5;
const inkWeight = 0.02; // of what lies far below the surface, and is ink rather than paper
const near = 8; // levels

/** Least squares over x, y, x², xy, y², again and again with less weight on what is darker than the surface. */
export function fitSurface({ values, width, height }: Greys): Float32Array {
  const surface = new Float32Array(values.length).fill(0);
  const terms = new Float64Array(6);
  for (let round = 0; round < rounds; round++) {
    const sums = Array.from({ length: 6 }, () => new Float64Array(7));
    for (let i = 0; i < values.length; i++) {
      const weight = round === 0 || values[i]! > surface[i]! - near ? 1 : inkWeight;
      fillTerms(terms, i, width, height);
      for (let a = 0; a < 6; a++) {
        for (let b = a; b < 6; b++) sums[a]![b]! += weight * terms[a]! * terms[b]!;
        sums[a]![6]! += weight * terms[a]! * values[i]!;
      }
    }
    for (let a = 0; a < 6; a++) for (let b = 0; b < a; b++) sums[a]![b] = sums[b]![a]!;
    const factors = solve(sums);
    for (let i = 0; i < values.length; i++) {
      fillTerms(terms, i, width, height);
      surface[i] = factors.reduce((sum, factor, n) => sum + factor * terms[n]!, 0);
    }
  }
  return surface;
}

/** 1, x, y, x², xy, y² with x and y from -1 to 1. */
function fillTerms(terms: Float64Array, i: number, width: number, height: number): void {
  const x = (2 * ((i % width) + 0.5)) / width - 1;
  const y = (2 * (Math.floor(i / width) + 0.5)) / height - 1;
  terms[0] = 1;
  terms[1] = x;
  terms[2] = y;
  terms[3] = x * x;
  terms[4] = x * y;
  terms[5] = y * y;
}

/** Gaussian elimination of a symmetric positive system, the right side in the last column; 0 for what is not determined. */
function solve(rows: Float64Array[]): number[] {
  for (let a = 0; a < 6; a++) {
    const pivot = rows[a]![a]!;
    if (pivot < 1e-9) continue;
    for (let b = 0; b < 6; b++) {
      if (b === a) continue;
      const factor = rows[b]![a]! / pivot;
      for (let c = a; c < 7; c++) rows[b]![c]! -= factor * rows[a]![c]!;
    }
  }
  return rows.map((row, a) => (row[a]! < 1e-9 ? 0 : row[6]! / row[a]!));
}
