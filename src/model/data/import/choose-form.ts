/** Which form the pictures of a set get: as it was asked, or by a look at some of them. */
import type { ImageForm } from '../dataset.ts';
import type { ReadPool } from './read-pool.ts';
import type { Slots } from './slots.ts';

const looked = 200; // pictures
const mostDrawn = 0.8; // of those that can be read: so many have to look drawn for `ink`

/** The choice as the report shows it. */
export type FormDecision = {
  readonly asked: ImageForm | 'auto';
  readonly chosen: ImageForm;
  readonly looked: number; // pictures that could be read; 0 where the form was asked for
  readonly drawn: number; // of them, those that look like one drawn character
};

export async function chooseForm(
  asked: ImageForm | 'auto',
  slots: Slots,
  pool: ReadPool,
): Promise<FormDecision> {
  if (asked !== 'auto') return { asked, chosen: asked, looked: 0, drawn: 0 };
  let [readable, drawn] = [0, 0];
  for await (const pictures of slots.sample(looked)) {
    await pool.send('look', pictures, (answer) => {
      readable += answer.faults.filter((fault) => fault === null).length;
      drawn += answer.drawn.filter(Boolean).length;
    });
  }
  await pool.idle();
  const isDrawn = readable > 0 && drawn >= mostDrawn * readable;
  return { asked, chosen: isDrawn ? 'ink' : 'picture', looked: readable, drawn };
}
