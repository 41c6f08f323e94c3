/** What kind of system this is, how packages are installed on it, and doing so where set-up may. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { findCommand, run } from './command.mjs';

/**
 * `ids` are those of /etc/os-release, the distribution and what it is like: ['ubuntu', 'debian'].
 *
 * @typedef {{ isRoot: boolean, ids: string[], manager: Manager | null }} System
 * @typedef {keyof typeof managers} Manager
 * @typedef {'redis' | 'compiler' | 'pip' | 'browser'} Need
 */

/** How each installs, and its names of what set-up needs. */
const managers = {
  apt: { install: 'apt-get install -y', redis: 'redis-server', compiler: 'g++', pip: 'python3-pip' },
  dnf: { install: 'dnf install -y', redis: 'valkey', compiler: 'gcc-c++', pip: 'python3-pip' },
  pacman: { install: 'pacman -S --needed', redis: 'valkey', compiler: 'gcc', pip: 'python-pip' },
  apk: { install: 'apk add', redis: 'valkey', compiler: 'g++', pip: 'py3-pip' },
  zypper: { install: 'zypper install -y', redis: 'valkey', compiler: 'gcc-c++', pip: 'python3-pip' },
  brew: { install: 'brew install', redis: 'redis', compiler: 'gcc', pip: 'python' },
};

const aptFlags = (
  '-y --no-install-recommends -o DPkg::Lock::Timeout=120 -o Acquire::Retries=1 -o Acquire::http::Timeout=20 ' +
  '-o Acquire::https::Timeout=20'
).split(' ');
const servicePolicy = '/usr/sbin/policy-rc.d';

export function readSystem() {
  const names = /** @type {Manager[]} */ (Object.keys(managers));
  const isHere = (/** @type {Manager} */ name) => findCommand(process.env, name === 'apt' ? 'apt-get' : name);
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const lines = [...release.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)/gm)];
  const ids = lines.flatMap(([, value = '']) => value.split(' '));
  return { isRoot: process.getuid?.() === 0, ids, manager: names.find(isHere) ?? null };
}

/** @type {(system: System, needs: Need[]) => string} what a person types, or looks for where the system is unknown */
export function installCommand({ manager, isRoot }, needs) {
  if (manager === null) return `install ${needs.join(' and ')} with this system's packages`;
  const sudo = isRoot || manager === 'brew' ? '' : 'sudo ';
  return `${sudo}${managers[manager].install} ${needs.map((need) => packageFor(manager, need)).join(' ')}`;
}

/** @type {(manager: Manager, need: Need) => string} */
function packageFor(manager, need) {
  if (need !== 'browser') return managers[manager][need];
  if (manager === 'apt') return 'chromium-headless-shell';
  return manager === 'brew' ? '--cask chromium' : 'chromium';
}

/** Whether set-up may install system packages itself: root on Debian or Ubuntu. @param {System} system */
export function mayInstall({ isRoot, ids, manager }) {
  return isRoot && manager === 'apt' && (ids.includes('debian') || ids.includes('ubuntu'));
}

/**
 * Installs by apt-get; with fresh lists where the first try fails. No service is started: Debian asks a policy, which
 * is there as long as this process at most. One that is there already stays.
 *
 * @type {(context: import('./main.mjs').Context, needs: Need[]) => Promise<import('./command.mjs').Result>}
 */
export async function aptInstall({ env, signal, doing }, needs) {
  const options = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' }, signal, gently: true };
  const packages = needs.map((need) => packageFor('apt', need));
  doing(`apt-get install ${packages.join(' ')}`);
  const install = () => run('apt-get', ['install', ...aptFlags, ...packages], options);
  const isOurs = !existsSync(servicePolicy);
  const policy = `#!/bin/sh\nkill -0 ${process.pid} 2>/dev/null && exit 101\nexit 0\n`;
  if (isOurs) writeFileSync(servicePolicy, policy, { mode: 0o755 });
  try {
    const first = await install();
    if (first.ok) return first;
    const update = await run('apt-get', ['update', ...aptFlags], options);
    return update.ok ? await install() : update;
  } finally {
    if (isOurs) rmSync(servicePolicy, { force: true });
  }
}
