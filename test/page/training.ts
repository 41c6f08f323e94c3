/** The Train view as one who sees it, or has it read, finds it. */
import type { Locator, Page } from 'playwright-core';

/** Fills the form, by the names of its fields, and starts the job. */
export async function startJob(page: Page, settings: Readonly<Record<string, string>>): Promise<void> {
  const form = page.getByRole('region', { name: 'New training' });
  const field = form.getByRole('textbox', { name: 'Epochs' });
  if (!(await field.isVisible())) await form.getByText('More settings').click();
  for (const [name, value] of Object.entries(settings)) {
    await form.getByRole('textbox', { name, exact: true }).fill(value);
  }
  await form.getByRole('button', { name: 'Start training' }).click();
}

/** The job that is open. */
export function run(page: Page): Locator {
  return page.getByRole('region', { name: /^Job / });
}

export async function untilStatus(page: Page, status: string): Promise<void> {
  await run(page).getByRole('status').getByText(status, { exact: true }).waitFor();
}

/** The value beside a name: "Time left" → "12 s". */
export async function figure(page: Page, name: string): Promise<string> {
  const term = page.getByRole('term').filter({ hasText: new RegExp(`^${name}$`) });
  return run(page).locator('div', { has: term }).getByRole('definition').last().innerText();
}

export function chart(page: Page, title: string): Locator {
  return page.getByRole('img', { name: title });
}

/** What a chart says of itself: where the curve has come to. */
export async function lastStep(page: Page): Promise<number> {
  const text = await chart(page, 'Loss per step').getAttribute('aria-label');
  return Number(/ at step \d+ to [\d.]+ at step (\d+)/.exec(text!)?.[1] ?? 0);
}

export async function lastEpoch(page: Page): Promise<number> {
  const text = await chart(page, 'Test accuracy per epoch').getAttribute('aria-label');
  return Number(/[\d.]+\s% after epoch (\d+)/.exec(text!)?.[1] ?? 0);
}

/** The first column of the table of epochs. */
export async function epochsListed(page: Page): Promise<number[]> {
  const rows = page.getByRole('region', { name: 'Epochs' }).getByRole('rowheader');
  return (await rows.allInnerTexts()).map(Number);
}
