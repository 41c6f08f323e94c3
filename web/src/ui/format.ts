/** Numbers and times as people read them. */

const narrow = '\u202f'; // a space that does not break

/** 0.9164 → "91.6 %", and never "100 %" for less than all. */
export function percent(share: number, digits = 1): string {
  const floor = Math.floor(share * 100 * 10 ** digits) / 10 ** digits;
  const rounded = Number((share * 100).toFixed(digits));
  return `${(rounded >= 100 && share < 1 ? floor : rounded).toFixed(digits)}${narrow}%`;
}

const thousands = new Intl.NumberFormat('en');

export function count(value: number): string {
  return thousands.format(Math.round(value));
}

/** Milliseconds: "0.11 ms", "24 ms". */
export function milliseconds(ms: number): string {
  return `${ms < 1 ? ms.toFixed(2) : ms < 10 ? ms.toFixed(1) : Math.round(ms)}${narrow}ms`;
}

/** Seconds as a length of time: "8 s", "1 min 20 s", "2 h 5 min". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole}${narrow}s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}${narrow}min ${whole % 60}${narrow}s`;
  return `${Math.floor(minutes / 60)}${narrow}h ${minutes % 60}${narrow}min`;
}

/** How long ago, in its largest unit: "just now", "5 min ago", "3 days ago". */
export function age(iso: string, now = Date.now()): string {
  const seconds = (now - Date.parse(iso)) / 1000;
  if (seconds < 45) return 'just now';
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))}${narrow}min ago`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)}${narrow}h ago`;
  const days = Math.round(seconds / 86_400);
  return `${days} day${days === 1 ? '' : 's'} ago`;
}

export function loss(value: number): string {
  return value.toFixed(4);
}

/** The p of a test, as it follows the letter: "= 0.032", "< 0.001". */
export function probability(p: number): string {
  return p < 0.001 ? '< 0.001' : `= ${p.toPrecision(2)}`;
}

/** The last characters of an id: its first ones say only when it was made. */
export function shortId(id: string): string {
  return id.slice(-8);
}

/** The beginning of a SHA-256 in hexadecimal, enough to tell two apart. */
export function shortSha256(sha256: string): string {
  return `${sha256.slice(0, 8)}…`;
}
