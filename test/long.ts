/** Tests that draw many cases draw few of them in `npm test`, and all with FAULTS=long (`npm run test:long`). */
export const isLong = process.env['FAULTS'] === 'long';

/** How many cases a property is tried with: so many in the long form, a fifth of them in the short one. */
export function runs(long: number): number {
  return isLong ? long : Math.ceil(long / 5);
}
