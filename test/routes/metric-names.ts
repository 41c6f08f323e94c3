/** The rules of `promtool check metrics` for names, help and types, for a machine that has no promtool. */

export type Family = { readonly name: string; readonly type: string; readonly help: string };

/** Reads the metric families of a text in the format of Prometheus. */
export function readFamilies(text: string): Family[] {
  return [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => ({
    name: name!,
    type: type!,
    help: new RegExp(`^# HELP ${name} (.*)$`, 'm').exec(text)?.[1] ?? '',
  }));
}

const notBase =
  /_(?:milli|micro|nano|kilo|mega)?(?:minutes|hours|days|weeks|grams|percent|bits)(?:_|$)|_(?:milli|micro|nano|kilo|mega|kibi|mebi)\w+(?:_|$)/;
const abbreviation = /_(?:s|ms|us|ns|sec|min|h|hr|d|b|kb|mb|gb|kib|mib|gib|pct)(?:_|$)/;
const unit = /_(?:seconds|images|bytes|total|ratio|per_second|version|jobs|loss|up|info|streams)(?:_total)?$/;

/** What is wrong with one, in words; ours must have a unit as well. */
export function lint({ name, type, help }: Family): string[] {
  const isHistogram = type === 'histogram';
  const own = name.startsWith('trainyard_');
  const rules: [wrong: boolean, what: string][] = [
    [help === '', 'no help'],
    [(type === 'counter') !== name.endsWith('_total'), `a ${type}, and _total`],
    [/_(?:count|sum)$/.test(name) && !isHistogram && type !== 'summary', 'a suffix of histograms'],
    [name.endsWith('_bucket'), 'a suffix of histograms'],
    [/_(?:gauge|counter|summary|histogram)(?:_|$)/.test(name), 'its type in its name'],
    [!/^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/.test(name), 'not in lower snake case'],
    [notBase.test(name), 'not in a base unit'],
    [own && abbreviation.test(name), 'an abbreviation'],
    [own && !unit.test(name), 'no unit'],
  ];
  return rules.filter(([wrong]) => wrong).map(([, what]) => `${name}: ${what}`);
}
