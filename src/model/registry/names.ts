/** The names of data sets, of models, and of the aliases that point to their versions. */
import { z } from 'zod';

/** `constructor` is the only name of this form that every object has: `aliases[name]` would find it. */
const namePattern = /^(?!constructor$)[a-z][a-z0-9-]{0,62}$/;
const form = ({ input }: { readonly input?: unknown }) =>
  input === 'constructor'
    ? 'expected a name other than "constructor"'
    : 'expected a lower-case letter, then at most 62 lower-case letters, digits and hyphens';

export const datasetName = z.string().regex(namePattern, { error: form });
export const modelName = z.string().regex(namePattern, { error: form });
export const aliasName = z.string().regex(namePattern, { error: form });

/** The alias of the version that answers unless a request names another. */
export const champion = 'champion';
