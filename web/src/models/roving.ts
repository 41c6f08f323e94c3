/** Arrow keys among the buttons of a matrix, of which Tab stops at one only: there may be thousands. */

export type Place = readonly [row: number, column: number];

const steps: Readonly<Record<string, Place>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/**
 * The button to go to with a key: of the next line in its direction that has one, the nearest. Null for another key, and
 * where there is none.
 *
 * @param size rows, and columns
 */
export function nextPlace(
  isButton: (place: Place) => boolean,
  [row, column]: Place,
  key: string,
  size: number,
): Place | null {
  const step = steps[key];
  if (step === undefined) return null;
  const [down, right] = step;
  for (let ahead = 1; ahead < size; ahead++) {
    for (let aside = 0; aside < size; aside++) {
      for (const across of aside === 0 ? [0] : [-aside, aside]) {
        const place = [row + down * ahead + right * across, column + right * ahead + down * across] as const;
        if (isButton(place)) return place;
      }
    }
  }
  return null;
}
