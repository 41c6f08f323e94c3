/** What kind of system this is, how packages are installed on it, and doing so where that is ours to do. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { findCommand, run } from './command.mjs';

/**
 * @typedef {object} System
 * @property {boolean} isRoot
 * @property {string[]} ids of /etc/os-release, the distribution and what it is like: ['ubuntu', 'debian']
 * @property {Manager | null} manager
 *
 * @typedef {'apt' | 'dnf' | 'pacman' | 'apk' | 'zypper' | 'brew'} Manager
 * @typedef {'redis' | 'compiler' | 'pip' | 'browser'} Need
 */

/** @type {Record<Manager, { command: string, install: string, packages: Record<Need, string> }>} */
const managers = {
  apt: {
    command: 'apt-get',
    install: 'apt-get install -y',
    packages: { redis: 'redis-server', compiler: 'g++', pip: 'python3-pip', browser: 'chromium' },
  },
  dnf: {
    command: 'dnf',
    install: 'dnf install -y',
    packages: { redis: 'valkey', compiler: 'gcc-c++', pip: 'python3-pip', browser: 'chromium' },
  },
  pacman: {
    command: 'pacman',
    install: 'pacman -S --needed',
    packages: { redis: 'valkey', compiler: 'gcc', pip: 'python-pip', browser: 'chromium' },
  },
  apk: {
    command: 'apk',
    install: 'apk add',
    packages: { redis: 'valkey', compiler: 'g++', pip: 'py3-pip', browser: 'chromium' },
  },
  zypper: {
    command: 'zypper',
    install: 'zypper install -y',
    packages: { redis: 'valkey', compiler: 'gcc-c++', pip: 'python3-pip', browser: 'chromium' },
  },
  brew: {
    command: 'brew',
    install: 'brew install',
    packages: { redis: 'redis', compiler: 'gcc', pip: 'python', browser: '--cask chromium' },
  },
};

const aptFlags = ['-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120'];
const aptNetwork = [
  '-o',
  'Acquire::Retries=1',
  '-o',
  'Acquire::http::Timeout=20',
  '-o',
  'Acquire::https::Timeout=20',
];
const servicePolicy = '/usr/sbin/policy-rc.d';

/** @returns {System} */
export function readSystem() {
  const names = /** @type {Manager[]} */ (Object.keys(managers));
  return {
    isRoot: process.getuid?.() === 0,
    ids: distribution(),
    manager: names.find((name) => findCommand(process.env, managers[name].command)) ?? null,
  };
}

function distribution() {
  if (!existsSync('/etc/os-release')) return [];
  const lines = readFileSync('/etc/os-release', 'utf8').split('\n');
  return lines.flatMap((line) => /^ID(?:_LIKE)?="?([^"]*)"?$/.exec(line)?.[1]?.split(' ') ?? []);
}

/**
 * The command that a person types to get what is missing, or what to look for where the system is unknown.
 *
 * @param {System} system
 * @param {Need[]} needs
 */
export function installCommand({ manager, isRoot }, needs) {
  if (manager === null) return `install ${needs.join(' and ')} with this system's packages`;
  const { install, packages } = managers[manager];
  const names = needs.map((need) => packages[need]).join(' ');
  return `${isRoot || manager === 'brew' ? '' : 'sudo '}${install} ${names}`;
}

/**
 * Whether set-up may install system packages itself: root on Debian or Ubuntu.
 *
 * @param {System} system
 */
export function mayInstall({ isRoot, ids, manager }) {
  return isRoot && manager === 'apt' && (ids.includes('debian') || ids.includes('ubuntu'));
}

/**
 * Installs by apt-get; with fresh lists where the first try fails. No service is started.
 *
 * @param {import('./main.mjs').Context} context
 * @param {Need[]} needs
 * @returns {Promise<import('./command.mjs').Result>}
 */
export async function aptInstall({ env: outer, signal }, needs) {
  const env = { ...outer, DEBIAN_FRONTEND: 'noninteractive' };
  const options = { env, signal, gently: true };
  const packages = needs.map((need) => managers.apt.packages[need]);
  const install = () => run('apt-get', ['install', ...aptFlags, ...aptNetwork, ...packages], options);
  const allowServices = forbidServices();
  try {
    const first = await install();
    if (first.ok) return first;
    const update = await run('apt-get', ['update', ...aptNetwork], options);
    return update.ok ? await install() : update;
  } finally {
    allowServices();
  }
}

/**
 * Debian's way to keep packages from starting services: a policy that lasts as long as this process at most.
 * One that is there already stays.
 *
 * @returns a function that takes it away again
 */
function forbidServices() {
  if (existsSync(servicePolicy)) return () => {};
  const script = `#!/bin/sh\nkill -0 ${process.pid} 2>/dev/null && exit 101\nexit 0\n`;
  writeFileSync(servicePolicy, script, { mode: 0o755 });
  return () => rmSync(servicePolicy, { force: true });
}
