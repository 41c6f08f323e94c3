/** The version of this program, as package.json says. */
import { readFileSync } from 'node:fs';

const file = new URL('../../package.json', import.meta.url);
export const programVersion = (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
