import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openProgressDisplay, progressLine } from '../../src/lib/progress-line.ts';
import { collector, progress } from '../cli/output.ts';

describe('progressLine', () => {
  it('shows epoch, step, loss, rate and time left', () => {
    expect(progressLine(progress)).toBe(
      '[████████░░░░░░░░░░░░░░░░]  33 %  epoch 1/2  step 628/1876  loss 0.5213  1,900 images/s  42 s left',
    );
  });
});

describe('the display of a run', () => {
  it('ends the line that it redraws before it says anything, on a terminal', () => {
    const output = collector({ isTTY: true, columns: 30 });
    const display = openProgressDisplay(output);
    display.show(progress);
    display.show(progress);
    display.say('epoch 1: done');
    display.finish();
    const bar = `\r\u001B[K${progressLine(progress).slice(0, 29)}`;
    expect(output.written).toEqual([bar, bar, '\n', 'epoch 1: done\n']);
  });

  it.each([{ isTTY: false }, {}])('writes the same line once in a pipe: %j', (pipe) => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const output = { ...collector(), ...pipe };
    const display = openProgressDisplay(output);
    for (const step of [1, 1, 1, 2, 2]) {
      display.show({ ...progress, step });
      vi.advanceTimersByTime(6000);
    }
    display.say('waits: the disk is full');
    display.show({ ...progress, step: 2 });
    display.finish();
    const [first, second] = [1, 2].map((step) => `${progressLine({ ...progress, step })}\n`);
    expect(output.written).toEqual([first, second, 'waits: the disk is full\n']);
  });

  it('leaves the newest progress standing in a pipe, however soon it came', () => {
    const output = collector();
    const display = openProgressDisplay(output);
    display.show(progress);
    display.show({ ...progress, step: 700 });
    display.show({ ...progress, step: 800 });
    display.finish();
    display.finish();
    expect(output.written).toEqual([
      `${progressLine(progress)}\n`,
      `${progressLine({ ...progress, step: 800 })}\n`,
    ]);
  });
});
