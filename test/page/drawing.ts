/** Strokes on the page's drawing area as a mouse, a finger or a pen makes them, and what the page reads. */
import type { Locator, Page } from 'playwright-core';

type Point = readonly [x: number, y: number]; // in parts of the area's side
type Stroke = readonly Point[];

/** A bar, then the slope. */
export const seven: readonly Stroke[] = [
  [
    [0.28, 0.25],
    [0.7, 0.25],
  ],
  [
    [0.7, 0.25],
    [0.45, 0.82],
  ],
];

const pointsOfStroke = 10;

export type Pointer = {
  move(x: number, y: number): Promise<void>;
  down(): Promise<void>;
  up(): Promise<void>;
};

export async function draw(page: Page, pointer: Pointer, strokes: readonly Stroke[] = seven): Promise<void> {
  for (const stroke of strokes) await drawStroke(page, pointer, stroke);
}

export async function drawStroke(page: Page, pointer: Pointer, [from, to]: Stroke): Promise<void> {
  const { x, y, width, height } = (await surface(page).boundingBox())!;
  const at = (share: number): [number, number] => [
    x + width * (from![0] + share * (to![0] - from![0])),
    y + height * (from![1] + share * (to![1] - from![1])),
  ];
  await pointer.move(...at(0));
  await pointer.down();
  for (let point = 1; point <= pointsOfStroke; point++) await pointer.move(...at(point / pointsOfStroke));
  await pointer.up();
}

export function mouse(page: Page): Pointer {
  return {
    move: (x, y) => page.mouse.move(x, y),
    down: () => page.mouse.down(),
    up: () => page.mouse.up(),
  };
}

/** A finger: the browser makes pointer events of the touches. */
export async function finger(page: Page): Promise<Pointer> {
  const browser = await page.context().newCDPSession(page);
  let place = { x: 0, y: 0 };
  let isDown = false;
  const send = (type: 'touchStart' | 'touchMove' | 'touchEnd') =>
    browser.send('Input.dispatchTouchEvent', { type, touchPoints: type === 'touchEnd' ? [] : [place] });
  return {
    move: async (x, y) => {
      place = { x, y };
      if (isDown) await send('touchMove');
    },
    down: async () => {
      isDown = true;
      await send('touchStart');
    },
    up: async () => {
      isDown = false;
      await send('touchEnd');
    },
  };
}

export async function pen(page: Page): Promise<Pointer> {
  const browser = await page.context().newCDPSession(page);
  let place = { x: 0, y: 0 };
  let buttons = 0;
  const send = async (type: 'mousePressed' | 'mouseMoved' | 'mouseReleased') => {
    const button = type === 'mouseMoved' && buttons === 0 ? 'none' : 'left';
    await browser.send('Input.dispatchMouseEvent', {
      type,
      ...place,
      button,
      buttons,
      clickCount: 1,
      pointerType: 'pen',
    });
  };
  return {
    move: (x, y) => {
      place = { x, y };
      return send('mouseMoved');
    },
    down: () => {
      buttons = 1;
      return send('mousePressed');
    },
    up: () => {
      buttons = 0;
      return send('mouseReleased');
    },
  };
}

export function surface(page: Page): Locator {
  return page.getByRole('img', { name: /^Drawing area/ });
}

export function answer(page: Page): Locator {
  return page.getByRole('region', { name: 'What the network reads' });
}

/** Resolves when a screen reader would be told that the page reads `digit`. */
export async function untilItReads(page: Page, digit: number | RegExp): Promise<void> {
  const text =
    digit instanceof RegExp ? digit : new RegExp(`^It reads ${digit}, (only )?[\\d.]+\\s%\\ssure$`);
  await answer(page).getByText(text).waitFor();
}

/** The first digit that a screen reader is told. */
export async function readDigit(page: Page): Promise<number> {
  const text = await answer(page)
    .getByText(/^It reads \d/)
    .innerText();
  return Number(/\d/.exec(text)![0]);
}

export function input(page: Page): Locator {
  return page.getByRole('img', { name: /as the network saw it/ });
}
