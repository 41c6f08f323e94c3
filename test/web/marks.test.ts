import { describe, expect, it } from 'vitest';
import { type Mark, type Picture, type Stroke, sheetOf, traceStroke } from '../../web/src/draw/marks.ts';

const first: Stroke = { kind: 'stroke', points: [{ x: 0, y: 0 }] };
const second: Stroke = { kind: 'stroke', points: [{ x: 1, y: 1 }] };
const blank: Mark = { kind: 'blank' };
const picture: Picture = { kind: 'picture', name: 'a', image: new Blob(), url: 'blob:a', label: '7' };

describe('what is seen of the marks', () => {
  it.each<[string, Mark[], ReturnType<typeof sheetOf>]>([
    ['nothing at first', [], { kind: 'empty' }],
    ['all strokes', [first, second], { kind: 'strokes', strokes: [first, second] }],
    ['nothing on a blank sheet', [first, blank], { kind: 'empty' }],
    ['strokes on the blank sheet only', [first, blank, second], { kind: 'strokes', strokes: [second] }],
    ['a picture over strokes', [first, picture], picture],
    ['strokes in place of a picture', [picture, first], { kind: 'strokes', strokes: [first] }],
  ])('%s', (_, marks, seen) => {
    expect(sheetOf(marks)).toEqual(seen);
  });
});

describe('a traced stroke', () => {
  const trace = (points: Stroke['points']) => {
    const calls: [string, ...number[]][] = [];
    const record =
      (name: string) =>
      (...numbers: number[]) =>
        void calls.push([name, ...numbers]);
    const path = {
      moveTo: record('move'),
      lineTo: record('line'),
      quadraticCurveTo: record('curve'),
    };
    traceStroke(path, { kind: 'stroke', points }, 100);
    return calls;
  };

  it('of one point is a dot', () => {
    expect(trace([{ x: 0.5, y: 0.25 }])).toEqual([
      ['move', 50, 25],
      ['line', 50.01, 25],
    ]);
  });

  it('of several bends between their middles and ends at the last', () => {
    const points = [
      { x: 0, y: 0 },
      { x: 0.1, y: 0 },
      { x: 0.2, y: 0.2 },
    ];
    expect(trace(points)).toEqual([
      ['move', 0, 0],
      ['line', 0.01, 0],
      ['curve', 10, 0, 15, 10],
      ['line', 20, 20],
    ]);
  });

  it('of none is nothing', () => {
    expect(trace([])).toEqual([]);
  });
});
