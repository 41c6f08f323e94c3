/**
 * Runs in each page of the tests, before the page's own code: what no view may ever show is an error in the console
 * as soon as it is there, and what moves by itself is added up.
 */
declare global {
  var layoutShift: number;
}

/** Sent to the browser as text, so all that it needs is in it. */
export function watchPage(): void {
  const unwanted = /\[object \w+\]|\bundefined\b|\bNaN\b|\bnull\b/;
  const attributes = ['aria-label', 'aria-valuenow', 'alt', 'title', 'placeholder', 'href', 'style'];
  const look = (node: Node) => {
    const element = node instanceof Element ? node : node.parentElement;
    if (!element || element.closest('script, style')) return;
    const elements = node === element ? [element, ...element.querySelectorAll('*')] : [element];
    const said = elements.flatMap((each) => attributes.map((name) => each.getAttribute(name) ?? ''));
    const text = [node.textContent ?? '', ...said].find((each) => unwanted.test(each));
    if (text !== undefined) console.error(`the page shows ${JSON.stringify(text.slice(0, 200))}`);
  };
  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) for (const node of [target, ...addedNodes]) look(node);
  }).observe(document, {
    subtree: true,
    childList: true,
    characterData: true,
    attributes: true,
    attributeFilter: attributes,
  });
  globalThis.layoutShift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
      globalThis.layoutShift += (entry as unknown as { value: number }).value;
  }).observe({ type: 'layout-shift', buffered: true });
}
