/** The keyboard in a confusion matrix: Tab stops at one button, the last that had the focus, and arrow keys go on from it. */
import { useState } from 'preact/hooks';
import { nextPlace, type Place } from './roving.ts';

type Confusion = readonly (readonly number[])[];

/** Buttons are the cells off the diagonal that count something; each has its place in `data-row` and `data-column`. */
export function useArrowKeys(confusion: Confusion) {
  const [last, setLast] = useState<Place | null>(null);
  const isButton = ([row, column]: Place) => row !== column && (confusion[row]?.[column] ?? 0) > 0;
  const stop = last !== null && isButton(last) ? last : firstOf(confusion, isButton);
  return {
    stop,
    onFocusIn: ({ target }: FocusEvent) => setLast(placeOf(target as HTMLElement)),
    onKeyDown: (event: KeyboardEvent & { currentTarget: HTMLElement }) => {
      const from = placeOf(event.target as HTMLElement);
      const next = from && nextPlace(isButton, from, event.key, confusion.length);
      if (!next) return;
      event.preventDefault(); // the keys would scroll
      const [row, column] = next;
      const selector = `[data-row="${row}"][data-column="${column}"]`;
      event.currentTarget.querySelector<HTMLElement>(selector)?.focus();
    },
  };
}

function placeOf({ dataset: { row, column } }: HTMLElement): Place | null {
  return row === undefined ? null : [Number(row), Number(column)];
}

/** [-1, -1] where nothing is misread. */
function firstOf(confusion: Confusion, isButton: (place: Place) => boolean): Place {
  for (const [row, cells] of confusion.entries()) {
    const column = cells.findIndex((_, each) => isButton([row, each]));
    if (column >= 0) return [row, column];
  }
  return [-1, -1];
}
