/**
 * Makes Bull Board's page find its files and its API behind a proxy that strips a path prefix. The page needs an absolute
 * path in `<base>`, which the server can't know then. So it gets a relative path, which depends on the page's depth, and
 * a script that makes it absolute in the browser.
 */

export const baseScript = `const base = document.querySelector('base');
base.setAttribute('href', new URL(base.href).pathname);
`;

/** `path`: the page's path, starting with `prefix`. */
export function withOwnBase(page: string, path: string, prefix: string): string {
  const base = `<base href="${relativeBase(path, prefix)}" />`;
  return page.replace(/<base href="[^"]*" *\/?>/, `${base}<script src="base.js"></script>`);
}

/** `queues/` for /admin/queues, `./` for /admin/queues/, `../` for /admin/queues/queue/train. */
function relativeBase(path: string, prefix: string): string {
  const [, ...below] = path.slice(prefix.length).split('/');
  if (below.length === 0) return `${prefix.split('/').at(-1)}/`;
  return '../'.repeat(below.length - 1) || './';
}
