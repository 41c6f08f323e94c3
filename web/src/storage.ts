/** What the browser keeps; where it keeps nothing (blocked cookies), the page works without. */
type Kind = 'localStorage' | 'sessionStorage';

export function readStored(kind: Kind, name: string): string | null {
  try {
    return window[kind].getItem(name);
  } catch {
    return null;
  }
}

/** null: forgotten. */
export function store(kind: Kind, name: string, value: string | null): void {
  try {
    if (value === null) window[kind].removeItem(name);
    else window[kind].setItem(name, value);
  } catch {
    // it holds until the page is closed
  }
}
