/** Failures to look at: each picture beside what the network saw of it, every kind in rows of its own. */
import sharp, { type OverlayOptions } from 'sharp';

export type Failure = {
  readonly kind: string;
  readonly bytes: Buffer;
  readonly pixels: Uint8Array | null;
  readonly text: string; // labels → answer
};

const tile = { width: 220, height: 110 };
const columns = 8;
const rowsOfAKind = 2;

/** Writes the sheet; returns what its rows show, from above. */
export async function contactSheet(failures: readonly Failure[], file: string): Promise<string[]> {
  const rows = rowsOf(failures);
  const layers = rows.flatMap((row, y) =>
    row.map((failure, x) => layersOf(failure, x * tile.width, y * tile.height)),
  );
  const size = { width: columns * tile.width, height: Math.max(1, rows.length) * tile.height };
  await sharp({ create: { ...size, channels: 3, background: '#888' } })
    .composite((await Promise.all(layers)).flat())
    .png()
    .toFile(file);
  return rows.map((row) => `${row[0]!.kind}: ${row.map(({ text }) => text).join(' ')}`);
}

function rowsOf(failures: readonly Failure[]): Failure[][] {
  const rows: Failure[][] = [];
  for (const kind of new Set(failures.map((failure) => failure.kind))) {
    const ofKind = failures.filter((failure) => failure.kind === kind).slice(0, rowsOfAKind * columns);
    for (let i = 0; i < ofKind.length; i += columns) rows.push(ofKind.slice(i, i + columns));
  }
  return rows;
}

async function layersOf({ bytes, pixels }: Failure, left: number, top: number): Promise<OverlayOptions[]> {
  const fit = { width: pixels ? 104 : 212, height: 104, fit: 'inside' as const };
  const picture = await sharp(bytes).resize(fit).toColourspace('srgb').png().toBuffer();
  const layers = [{ input: picture, left: left + 2, top: top + 2 }];
  if (!pixels) return layers;
  const seen = sharp(pixels, { raw: { width: 28, height: 28, channels: 1 } }).resize(104, 104, {
    kernel: 'nearest',
  });
  return [
    ...layers,
    { input: await seen.toColourspace('srgb').png().toBuffer(), left: left + 110, top: top + 2 },
  ];
}
