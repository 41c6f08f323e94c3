/** The files of a set in the IDX format, by their names, which are as MNIST's: `train-images-idx3-ubyte.gz`. */
const idxName = /^(?<prefix>.*?)(?<part>images|labels)[-.]idx(?<dimensions>[13])[-.]ubyte(?:\.gz)?$/iu;

export type IdxName = { readonly prefix: string; readonly part: 'images' | 'labels' };

export function isIdxName(name: string): boolean {
  return readIdxName(name) !== null;
}

export function readIdxName(name: string): IdxName | null {
  const groups = idxName.exec(name)?.groups;
  if (!groups) return null;
  const part = groups['part']!.toLowerCase() as IdxName['part'];
  const isRight = groups['dimensions'] === (part === 'images' ? '3' : '1');
  return isRight ? { prefix: groups['prefix']!, part } : null;
}
