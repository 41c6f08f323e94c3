/** What a network says about a line of characters: which cuts are right, and what each piece is. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { imageSize } from '../data/dataset.ts';
import { choosePieces, piecesOf } from '../image/choose-pieces.ts';
import type { FoundLine, PictureBox, Piece } from '../image/find-line.ts';
import type { Warning } from '../image/warnings.ts';
import { type Answer, answerFrom, type Reader, type Verdict, verdicts } from './answer.ts';

export type LineCharacter = Pick<Answer, 'label' | 'confidence' | 'verdict' | 'score'> & {
  readonly box: PictureBox; // in the picture's pixels, after its EXIF orientation
};

export type LineAnswer = {
  readonly text: string; // the labels, from left to right
  readonly characters: LineCharacter[];
  readonly verdict: Verdict; // the least of the characters'; `unsure` where it is no whole line
  readonly calibrated: boolean;
  readonly warnings: Warning[];
};

/** pixels [N × 784] → logits [N × labels]. */
type Infer = (pixels: Uint8Array) => Float32Array;

const mostAtOnce = 16; // images; more would hold up others for too long

/**
 * `shrink`: pixels of the picture, along each side, for one of the line's. Other work goes on between two calls of `infer`.
 *
 * @throws what `infer` throws
 */
export async function answerLine(
  line: FoundLine,
  shrink: number,
  infer: Infer,
  reader: Reader,
): Promise<LineAnswer> {
  const pieces = piecesOf(line);
  const answers: Answer[] = [];
  for (let start = 0; start < pieces.length; start += mostAtOnce) {
    const some = pieces.slice(start, start + mostAtOnce);
    answers.push(...inferImages(some, infer).map((logits) => answerFrom(logits, reader, [])));
    await nextTurn();
  }
  const chosen = choosePieces(line, answers, certaintyOf);
  const characters = chosen.map(({ piece, score: { label, confidence, verdict, score } }) => {
    return { label, confidence, verdict, score, box: scaled(piece.box, shrink) };
  });
  return {
    text: characters.map(({ label }) => label).join(''),
    characters,
    verdict: verdictOn(characters, line.warnings),
    calibrated: reader.calibration !== null,
    warnings: [...line.warnings],
  };
}

/** How sure it is that a piece is a character at all, and that it is this one. */
function certaintyOf({ confidence, score }: Answer): number {
  return confidence * (score ?? 1);
}

function verdictOn(characters: readonly LineCharacter[], warnings: readonly Warning[]): Verdict {
  const worst = verdicts.findLast((verdict) => characters.some((each) => each.verdict === verdict));
  const isOneLine = !warnings.some(({ code }) => code === 'SEVERAL_LINES' || code === 'TOO_MANY_CHARACTERS');
  return worst === 'known' && !isOneLine ? 'unsure' : (worst ?? 'unknown');
}

/** logits [labels] of each piece */
function inferImages(pieces: readonly Piece[], infer: Infer): Float32Array[] {
  const pixels = new Uint8Array(pieces.length * imageSize);
  for (const [i, piece] of pieces.entries()) pixels.set(piece.pixels, i * imageSize);
  const logits = infer(pixels);
  const classes = logits.length / pieces.length;
  return pieces.map((_, i) => logits.subarray(i * classes, (i + 1) * classes));
}

function scaled({ x, y, width, height }: PictureBox, by: number): PictureBox {
  const round = (value: number) => Math.round(value * by);
  return { x: round(x), y: round(y), width: round(width), height: round(height) };
}
