/**
 * A button that is gone once it has done its work must not take the focus with it, or the next press of Tab begins at the
 * top of the page: the focus goes on to the heading of its part.
 */
export function keepFocus(root: HTMLElement): void {
  let holder: Element | null = null;
  let part: Element | null = null;
  root.addEventListener('focusin', ({ target }) => {
    holder = target as Element;
    part = holder.closest('section');
  });
  new MutationObserver(() => {
    if (holder === null || holder.isConnected || document.activeElement !== document.body) return;
    holder = null;
    const heading = (part?.isConnected ? part : root).querySelector<HTMLElement>('h1, h2');
    heading?.setAttribute('tabindex', '-1');
    heading?.focus({ preventScroll: true });
  }).observe(root, { subtree: true, childList: true });
}
