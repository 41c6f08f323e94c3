/** Scaling of an ink box: area averages down, bilinear up. All maps are row-major Float32Array, 0 to 255. */
import type { Box, Greys, Ink } from './ink.ts';

/**
 * Area averages: every source pixel gives its ink to the target pixels it lies under, by share.
 * Exact copies at scale 1, exact means at whole factors.
 */
export function shrink(greys: Greys, ink: Ink, box: Box, width: number, height: number): Float32Array {
  const scale = height / (box.y1 - box.y0 + 1);
  const row = new Float32Array(width);
  const target = new Float32Array(width * height);
  for (let y = box.y0; y <= box.y1; y++) {
    shrinkRow(greys, ink, box, y, row);
    const top = (y - box.y0) * scale;
    const upper = Math.min(Math.floor(top), height - 1);
    const below = Math.max(0, top + scale - (upper + 1)); // share of this row that reaches the next target row
    addRow(target, row, upper * width, scale - below);
    if (below > 0 && upper + 1 < height) addRow(target, row, (upper + 1) * width, below);
  }
  return target;
}

function shrinkRow(greys: Greys, ink: Ink, box: Box, y: number, row: Float32Array): void {
  const scale = row.length / (box.x1 - box.x0 + 1);
  const { values } = greys;
  const start = y * greys.width + box.x0;
  const end = y * greys.width + box.x1;
  row.fill(0);
  for (let i = start; i <= end; i++) {
    const amount = ink.of[values[i]!]!;
    if (amount === 0) continue; // most pixels of a digit's box are background
    const left = (i - start) * scale;
    const cell = Math.min(Math.floor(left), row.length - 1);
    const beyond = left + scale - (cell + 1);
    if (beyond > 0 && cell + 1 < row.length) {
      row[cell]! += amount * (scale - beyond);
      row[cell + 1]! += amount * beyond;
    } else {
      row[cell]! += amount * scale;
    }
  }
}

function addRow(target: Float32Array, row: Float32Array, offset: number, weight: number): void {
  for (let x = 0; x < row.length; x++) target[offset + x]! += row[x]! * weight;
}

/** Bilinear between the pixels' centres, the outermost repeated at the edges. */
export function enlarge(greys: Greys, ink: Ink, box: Box, width: number, height: number): Float32Array {
  const columns = taps(box.x0, box.x1, width);
  const rows = taps(box.y0, box.y1, height);
  const at = (tap: number, x: number) => ink.of[greys.values[tap * greys.width + x]!]!;
  const target = new Float32Array(width * height);
  rows.forEach((row, y) => {
    columns.forEach((column, x) => {
      const upper = at(row.near, column.near) * (1 - column.share) + at(row.near, column.far) * column.share;
      const lower = at(row.far, column.near) * (1 - column.share) + at(row.far, column.far) * column.share;
      target[y * width + x] = upper * (1 - row.share) + lower * row.share;
    });
  });
  return target;
}

function taps(first: number, last: number, length: number): { near: number; far: number; share: number }[] {
  return Array.from({ length }, (_, i) => {
    const position = ((i + 0.5) * (last - first + 1)) / length - 0.5 + first;
    const clipped = Math.min(Math.max(position, first), last);
    const near = Math.floor(clipped);
    return { near, far: Math.min(near + 1, last), share: clipped - near };
  });
}

/**
 * The strongest ink under each target pixel, grown by one target pixel all round: keeps and widens
 * strokes too thin for an area average. The outermost target pixels are left for the growth.
 */
export function thicken(greys: Greys, ink: Ink, box: Box, width: number, height: number): Float32Array {
  const scaleX = (width - 2) / (box.x1 - box.x0 + 1);
  const scaleY = (height - 2) / (box.y1 - box.y0 + 1);
  const target = new Float32Array(width * height);
  for (let y = box.y0; y <= box.y1; y++) {
    const row = (1 + Math.floor((y - box.y0) * scaleY)) * width;
    for (let x = box.x0; x <= box.x1; x++) {
      const amount = ink.of[greys.values[y * greys.width + x]!]!;
      if (amount === 0) continue;
      const i = row + 1 + Math.floor((x - box.x0) * scaleX);
      if (amount > target[i]!) target[i] = amount;
    }
  }
  return grow(target, width, height);
}

function grow(map: Float32Array, width: number, height: number): Float32Array {
  const grown = new Float32Array(map.length);
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x;
      const amount = map[i]!;
      if (amount === 0) continue;
      for (const near of process.env.PLUS
        ? [i, i - 1, i + 1, i - width, i + width]
        : [i, i - 1, i + 1, i - width, i + width, i - width - 1, i - width + 1, i + width - 1, i + width + 1])
        if (amount > grown[near]!) grown[near] = amount;
    }
  }
  return grown;
}
