/** Paints the drawing: on the screen, and as the PNG for the network, white on black. */
import { type Sheet, type Stroke, traceStroke } from './marks.ts';

const sentSide = 280; // pixels
const strokeWidth = 0.075; // of the side; two to three pixels of the network's 28×28
const largestSide = 1400; // of a picture that is sent; more pixels add nothing to a digit

export function paintStrokes(
  context: CanvasRenderingContext2D,
  strokes: readonly Stroke[],
  side: number,
): void {
  context.lineWidth = strokeWidth * side;
  context.lineCap = 'round';
  context.lineJoin = 'round';
  for (const stroke of strokes) {
    context.beginPath();
    traceStroke(context, stroke, side);
    context.stroke();
  }
}

/** The body of POST /predict; null for an empty sheet. */
export async function imageOf(sheet: Sheet): Promise<Blob | null> {
  if (sheet.kind === 'empty') return null;
  if (sheet.kind === 'picture') return sheet.image;
  const context = canvas(sentSide, sentSide);
  context.fillStyle = 'black';
  context.fillRect(0, 0, sentSide, sentSide);
  context.strokeStyle = 'white';
  paintStrokes(context, sheet.strokes, sentSide);
  return toPng(context);
}

/** Converts any image that the browser can show to one that the server takes; null when it is no image. */
export async function sendable(file: Blob): Promise<Blob | null> {
  const url = URL.createObjectURL(file);
  try {
    const picture = new Image();
    picture.src = url;
    await picture.decode();
    return await fitted(file, picture);
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(url);
  }
}

async function fitted(file: Blob, picture: HTMLImageElement): Promise<Blob> {
  const { naturalWidth: width, naturalHeight: height } = picture;
  const scale = Math.min(1, largestSide / Math.max(width, height));
  if (scale === 1 && /^image\/(?:png|jpeg|webp|avif|gif)$/.test(file.type)) return file;
  const context = canvas(Math.ceil(width * scale), Math.ceil(height * scale));
  context.drawImage(picture, 0, 0, context.canvas.width, context.canvas.height);
  return toPng(context);
}

function canvas(width: number, height: number): CanvasRenderingContext2D {
  const element = document.createElement('canvas');
  element.width = width;
  element.height = height;
  return element.getContext('2d')!;
}

function toPng({ canvas: element }: CanvasRenderingContext2D): Promise<Blob> {
  return new Promise((resolve, reject) => {
    const done = (blob: Blob | null) => (blob ? resolve(blob) : reject(new Error('the browser made no PNG')));
    element.toBlob(done, 'image/png');
  });
}
