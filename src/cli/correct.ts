/** `trainyard correct`: says what a picture shows, for later trainings to learn from. */
import { addCorrection } from '../client/index.ts';
import { type CommandContext, writeJson, writeLine } from './context.ts';
import { loadPicture } from './picture.ts';

/** @param label "none": none of the labels */
export async function correct(
  context: CommandContext,
  file: string,
  label: string,
  { model }: { readonly model?: string } = {},
): Promise<number> {
  const picture = await loadPicture(file);
  const said = label === 'none' ? null : label;
  const correction = await addCorrection(context.client, picture, said, model);
  if (context.json) writeJson(context, correction);
  else {
    const { id, answer } = correction;
    const words = said === null ? 'none of the labels' : said;
    writeLine(context.stdout, `correction ${id}: ${words}, was read as ${answer.label}`);
    for (const { code, message } of correction.warnings ?? [])
      writeLine(context.stderr, `${file}: ${code}: ${message}`);
  }
  return 0;
}
