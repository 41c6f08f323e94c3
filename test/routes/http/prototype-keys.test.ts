import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseJson } from '../../../src/routes/http/bodies.ts';
import type { HttpProblem } from '../../../src/routes/http/problem.ts';

const key = fc.constantFrom('__proto__', 'constructor', 'prototype', 'a');
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof({ maxDepth: 4 }, fc.constantFrom(0, null, '__proto__'), tie('array'), tie('object')),
  array: fc.array(tie('tree'), { maxLength: 3 }),
  object: fc
    .array(fc.tuple(key, tie('tree')), { maxLength: 3 })
    .map((entries) => Object.fromEntries(entries)),
}));

/** As JSON.parse visits it, key by key. */
function changesPrototype(text: string): boolean {
  let found = false;
  JSON.parse(text, (name, value: unknown) => {
    const isMade = name === 'constructor' && typeof value === 'object' && value !== null;
    if (name === '__proto__' || (isMade && Object.hasOwn(value, 'prototype'))) found = true;
    return name === '__proto__' ? undefined : value;
  });
  return found;
}

it.each([
  ['as they are', (text: string) => text],
  ['with escapes', (text: string) => text.replaceAll('o', String.raw`\u006f`)],
])('refuses keys that would change a prototype, wherever they are, %s', (_name, write) => {
  const run = (value: unknown) => {
    const text = JSON.stringify(value);
    const expected = changesPrototype(text) ? 'JSON_INVALID' : JSON.parse(text);
    expect(parseOrCode(write(text))).toEqual(expected);
  };
  fc.assert(fc.property(tree, run), { numRuns: 500 });
});

function parseOrCode(text: string): unknown {
  try {
    return parseJson(Buffer.from(text));
  } catch (error) {
    return (error as HttpProblem).options.code;
  }
}
