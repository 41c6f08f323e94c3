/** The jobs whose curves are shown beside the open one's, in the order in which they were ticked. */
import { signal } from '@preact/signals';

export const mostCurves = 6; // colours that can be told apart

export const compared = signal<readonly string[]>([]);

export function setCompared(id: string, isWanted: boolean): void {
  const others = compared.value.filter((each) => each !== id);
  compared.value = isWanted && others.length < mostCurves - 1 ? [...others, id] : others;
}
