/** What a model's answers can be, in words. */

export const digitLabels: readonly string[] = Array.from({ length: 10 }, (_, digit) => String(digit));

export function areDigits(labels: readonly string[]): boolean {
  return labels.length === digitLabels.length && labels.every((label, i) => label === digitLabels[i]);
}

/** How many columns of a digit's width a label takes up, about: letters of East Asia, and emoji, are twice as wide. */
export function widthOf(label: string): number {
  let width = 0;
  for (const character of label) width += character.codePointAt(0)! > 0x2e7f ? 2 : 1;
  return width;
}

/** The labels that a text is part of, the very label first. */
export function matchingLabels(labels: readonly string[], text: string): readonly string[] {
  const wanted = folded(text.trim());
  const matching = labels.filter((label) => folded(label).includes(wanted));
  return matching.toSorted((a, b) => Number(folded(b) === wanted) - Number(folded(a) === wanted));
}

/** Without a difference between letters with and without marks, and of either case. */
function folded(text: string): string {
  return text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
}
