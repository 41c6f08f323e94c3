/**
 * Where Bull Board's page finds its files and its API. It wants an absolute path in `<base>`, which a server behind a
 * proxy that strips a prefix can't know. So the page gets a relative one, which depends on how deep it lies, and a
 * script of one line, which the browser runs first, makes it absolute.
 */

export const baseScript = `const base = document.querySelector('base');
base.setAttribute('href', new URL(base.href).pathname);
`;

/** `path`: of the page, from `prefix` on. */
export function withOwnBase(page: string, path: string, prefix: string): string {
  const base = `<base href="${relativeBase(path, prefix)}" />`;
  return page.replace(/<base href="[^"]*" *\/?>/, `${base}<script src="base.js"></script>`);
}

/** From /admin/queues `queues/`, from /admin/queues/ `./`, from /admin/queues/queue/train `../`. */
function relativeBase(path: string, prefix: string): string {
  const [, ...below] = path.slice(prefix.length).split('/');
  if (below.length === 0) return `${prefix.split('/').at(-1)}/`;
  return '../'.repeat(below.length - 1) || './';
}
