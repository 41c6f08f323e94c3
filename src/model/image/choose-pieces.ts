/**
 * Which cuts of the shapes of a line are right: those whose least certain character is most certain, given how likely each
 * shape is to be several characters.
 */
import type { FoundLine, LineShape, Piece } from './find-line.ts';

/** A piece that was chosen, and how it was scored. */
export type Chosen<Score> = { readonly piece: Piece; readonly score: Score };

const cutPenalty = 0.85; // for each cut, and …
const inkPenalty = 2; // … in the exponent for one height of ink that it crosses
const low = 0.6; // of the line's height; a lower piece is hardly a character

/** All pieces of a line, which a network has to read before some can be chosen. */
export function piecesOf({ shapes }: FoundLine): Piece[] {
  return shapes.flatMap((shape) => shape.pieces);
}

/** `scores`: what the network said of each of `piecesOf(line)`; `certainty`: how sure that is, from 0 to 1. */
export function choosePieces<Score>(
  line: FoundLine,
  scores: readonly Score[],
  certainty: (of: Score) => number,
): Chosen<Score>[] {
  const scoreOf = new Map(piecesOf(line).map((piece, i) => [piece, scores[i]!]));
  const worth = (piece: Piece) => certainty(scoreOf.get(piece)!) * Math.min(1, piece.height / low) ** 2;
  return line.shapes.flatMap((shape) =>
    bestPath(shape, worth).map((piece) => ({ piece, score: scoreOf.get(piece)! })),
  );
}

type Path = { readonly pieces: readonly Piece[]; readonly worth: number };

/** Finds the path from the left end to the right one whose weakest piece is strongest. */
function bestPath(
  { ends, pieces, costs, several }: LineShape,
  worth: (piece: Piece) => number,
): readonly Piece[] {
  const whole = pieces.find(({ from, to }) => from === 0 && to === ends);
  const best: (Path | undefined)[] = [{ pieces: [], worth: 1 }];
  for (const piece of pieces.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    const before = best[piece.from];
    if (!before || piece === whole) continue;
    const penalty = piece.from === 0 ? 1 : cutPenalty * Math.exp(-inkPenalty * costs[piece.from - 1]!);
    const path = { pieces: [...before.pieces, piece], worth: Math.min(before.worth, worth(piece)) * penalty };
    if (path.worth > (best[piece.to]?.worth ?? -1)) best[piece.to] = path;
  }
  const split = best[ends];
  if (!whole) return split?.pieces ?? [];
  const isSplit = split && split.pieces.length > 1 && split.worth * several > worth(whole) * (1 - several);
  return isSplit ? split.pieces : [whole];
}
