/**
 * The options of `npm start` and of its parts: settings of the environment under another name.
 *
 * Plain JavaScript, because scripts/run.mjs reads the options before anything is installed or compiled.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/** @typedef {'start' | 'server' | 'worker'} Program */

/**
 * `environment` has the variables that options set, `names` the option that set each of them.
 *
 * @typedef {{ environment: Record<string, string>, names: Record<string, string> }} Options
 * @typedef {{ kind: 'run', options: Options } | { kind: 'help' | 'version' | 'refused', text: string }} Call
 */

/** @type {readonly Program[]} */
const all = ['start', 'server', 'worker'];
/** @type {readonly Program[]} */
const listening = ['start', 'server'];
/** @type {readonly Program[]} */
const training = ['start', 'worker'];

/**
 * Not API_KEY and REDIS_URL: the arguments of a process are visible to every user of the machine.
 *
 * @type {readonly { name: string, variable: string, value: string, text: string, of: readonly Program[] }[]}
 */
const settings = [
  {
    name: 'host',
    variable: 'HOST',
    value: 'ADDRESS',
    text: 'where the server listens (127.0.0.1)',
    of: listening,
  },
  { name: 'port', variable: 'PORT', value: 'N', text: 'its port; 0: any free one (3000)', of: listening },
  { name: 'data-dir', variable: 'DATA_DIR', value: 'PATH', text: 'models and jobs (./data)', of: all },
  {
    name: 'engine',
    variable: 'ENGINE',
    value: 'NAME',
    text: 'auto, tensorflow, wasm or webgpu (auto)',
    of: all,
  },
  {
    name: 'require-gpu',
    variable: 'REQUIRE_GPU',
    value: 'true|false',
    text: 'end rather than train on a CPU (false)',
    of: training,
  },
  {
    name: 'first-model',
    variable: 'FIRST_MODEL',
    value: 'true|false',
    text: 'train a first model where there is none (true)',
    of: listening,
  },
  {
    name: 'keep-models',
    variable: 'KEEP_MODELS',
    value: 'N',
    text: 'how many models to keep (20)',
    of: listening,
  },
  {
    name: 'promote',
    variable: 'PROMOTE',
    value: 'unless-worse|always|never',
    text: 'whether a new version may become champion (unless-worse)',
    of: listening,
  },
  {
    name: 'served-models',
    variable: 'SERVED_MODELS',
    value: 'N',
    text: 'how many versions to keep loaded (4)',
    of: listening,
  },
  {
    name: 'keep-inputs',
    variable: 'KEEP_INPUTS',
    value: 'true|false',
    text: 'keep pictures and answers for review (false)',
    of: listening,
  },
  {
    name: 'allow-anonymous',
    variable: 'ALLOW_ANONYMOUS',
    value: 'true|false|local',
    text: 'let other hosts ask without a key (false)',
    of: listening,
  },
  {
    name: 'rate-limit',
    variable: 'RATE_LIMIT',
    value: 'N',
    text: 'requests a minute (6000 with keys, else none)',
    of: listening,
  },
  {
    name: 'log-level',
    variable: 'LOG_LEVEL',
    value: 'LEVEL',
    text: 'trace, debug, info, warn, error, fatal or silent',
    of: all,
  },
];

/**
 * Reads the options of the program that runs now. Prints help or a refusal, and then ends the process: with 0, or
 * with 2 for a wrong call.
 *
 * @param {Program} program
 * @param {readonly string[]} [args]
 * @returns {Options}
 */
export function takeOptions(program, args = process.argv.slice(2)) {
  const call = readOptions(program, args, process.env);
  if (call.kind === 'run') return call.options;
  const refused = call.kind === 'refused';
  (refused ? process.stderr : process.stdout).write(`${call.text}\n`);
  return process.exit(refused ? 2 : 0);
}

/**
 * @param {Program} program
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Call}
 */
export function readOptions(program, args, environment) {
  const known = settings.filter(({ of }) => of.includes(program));
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(known.map(({ name }) => [name, { type: /** @type {const} */ ('string') }])),
    strict: false,
    tokens: true,
  });
  const given = tokens
    .filter((token) => token.kind === 'option')
    .map((token) => ({
      ...token,
      setting: known.find(({ name }) => token.rawName === `--${name}`),
    }));
  if (given.some(({ rawName }) => rawName === '--help' || rawName === '-h')) {
    return { kind: 'help', text: helpOn(program) };
  }
  if (given.some(({ rawName }) => rawName === '--version')) return { kind: 'version', text: ownVersion() };
  const wrong = given.flatMap(({ rawName, setting, value, inlineValue }) => {
    if (!setting) return [`unknown option ${rawName}`];
    return value && (inlineValue || !value.startsWith('-')) ? [] : [`expected ${rawName} ${setting.value}`];
  });
  const stray = tokens.filter((token) => token.kind === 'positional').map(({ value }) => value);
  if (wrong.length === 0 && stray.length > 0) wrong.push(`expected options only, got ${stray.join(' ')}`);
  wrong.push(...keptByNpm(known, environment));
  if (wrong.length > 0) return { kind: 'refused', text: `${wrong.join('\n')}\n\n${helpOn(program)}` };
  const pairs = given.map(({ setting, value = '' }) => [setting?.variable, value]);
  const names = given.map(({ setting, rawName }) => [setting?.variable, rawName]);
  return {
    kind: 'run',
    options: { environment: Object.fromEntries(pairs), names: Object.fromEntries(names) },
  };
}

/**
 * Without `--` before them, npm takes options for its own, and passes on at most their values.
 *
 * @param {typeof settings} known
 * @param {NodeJS.ProcessEnv} environment
 */
function keptByNpm(known, environment) {
  return known
    .filter(({ name }) => environment[`npm_config_${name.replaceAll('-', '_')}`] !== undefined)
    .map(({ name }) => `npm took --${name} for an option of its own; write "--" before it`);
}

/** @param {Program} program */
function helpOn(program) {
  const command = program === 'start' ? 'npm start' : `npm run start:${program}`;
  const rows = settings
    .filter(({ of }) => of.includes(program))
    .map(({ name, value, text }) => [`--${name} ${value}`, text]);
  rows.push(['--help', 'show this'], ['--version', 'show the version']);
  const width = Math.max(...rows.map(([call = '']) => call.length));
  const lines = rows.map(([call = '', text]) => `  ${call.padEnd(width)}  ${text}`);
  return [
    `Usage: ${command} -- [OPTION]…`,
    ...lines,
    'An option wins over its variable, such as PORT for --port. API_KEY and REDIS_URL are variables only.',
  ].join('\n');
}

function ownVersion() {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return /** @type {string} */ (version);
}
