/** The drawing area: takes strokes by mouse, touch or pen, and pictures dropped on it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { useApp, useStore } from '../app-context.ts';
import { createChosenModel, type Subject } from './chosen-model.ts';
import { createDrawing } from './drawing.ts';
import { LineBoxes } from './line.tsx';
import type { Point, Sheet } from './marks.ts';
import { paintStrokes } from './sheet-image.ts';

export function Surface() {
  const { sheet, showFile } = useStore(createDrawing);
  const [isTarget, setTarget] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setTarget(false);
    const file = event.dataTransfer?.files[0];
    if (file) void showFile(file);
  };
  return (
    <div
      class={isTarget ? 'surface is-target' : 'surface'}
      onDragOver={(event) => {
        event.preventDefault();
        setTarget(true);
      }}
      onDragLeave={() => setTarget(false)}
      onDrop={drop}
    >
      <StrokeCanvas />
      <Overlay sheet={sheet.value} />
      <LineBoxes />
    </div>
  );
}

const invitations: Readonly<Record<Subject, string>> = {
  digit: 'Draw a digit here',
  ink: 'Draw here',
  picture: 'Drop a picture here',
};

function Overlay({ sheet: seen }: { sheet: Sheet }) {
  const { subject } = useStore(createChosenModel);
  if (seen.kind === 'empty') return <p class="surface-hint">{invitations[subject.value]}</p>;
  if (seen.kind === 'strokes') return null;
  return <img class="surface-picture" src={seen.url} alt={seen.name} draggable={false} />;
}

function StrokeCanvas() {
  const { scheme } = useApp().theme;
  const { sheet, startStroke, continueStroke } = useStore(createDrawing);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { subject } = useStore(createChosenModel);
  const active = useRef<number | null>(null); // the pointer that draws; further fingers are ignored
  const seen = sheet.value;
  useEffect(() => paintSoon(canvas.current!, seen), [seen, scheme.value]);
  useEffect(() => {
    const element = canvas.current!;
    const observer = new ResizeObserver(() => void paintSoon(element, sheet.value));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const end = () => {
    active.current = null;
  };
  return (
    <canvas
      ref={canvas}
      role="img"
      aria-label={`Drawing area: draw${subject.value === 'digit' ? ' a digit' : ''} with a mouse, a finger or a pen`}
      onPointerDown={(event) => {
        if (active.current !== null || event.button !== 0) return;
        event.preventDefault();
        canvas.current!.setPointerCapture(event.pointerId);
        active.current = event.pointerId;
        startStroke(pointOf(event, canvas.current!));
      }}
      onPointerMove={(event) => {
        if (event.pointerId !== active.current) return;
        const events = event.getCoalescedEvents?.() ?? [];
        continueStroke((events.length > 0 ? events : [event]).map((each) => pointOf(each, canvas.current!)));
      }}
      onPointerUp={end}
      onPointerCancel={end}
      onLostPointerCapture={end}
    />
  );
}

function pointOf({ clientX, clientY }: PointerEvent, canvas: HTMLCanvasElement): Point {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  return { x: (clientX - left) / width, y: (clientY - top) / height };
}

/** With the next frame, in as many pixels as the screen has there; the answer calls it off. */
function paintSoon(canvas: HTMLCanvasElement, seen: Sheet): () => void {
  const frame = requestAnimationFrame(() => {
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const context = canvas.getContext('2d')!;
    context.clearRect(0, 0, side, side);
    context.strokeStyle = getComputedStyle(canvas).color;
    if (seen.kind === 'strokes') paintStrokes(context, seen.strokes, side);
  });
  return () => cancelAnimationFrame(frame);
}
