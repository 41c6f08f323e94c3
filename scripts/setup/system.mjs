/** Programs of the operating system: found on the PATH, or installed by apt where that is allowed. */
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './step.mjs';

export function findProgram(...names) {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // not in this folder
      }
    }
  }
  return null;
}

/** Root on Debian or Ubuntu, or on what is made from them. */
export function canUseApt() {
  return process.getuid?.() === 0 && findProgram('apt-get') !== null && isDebian();
}

/** Installs packages; no service of theirs is started. Returns what `run` returns. */
export async function aptInstall(packages, progress) {
  progress(`apt-get install ${packages.join(' ')}`);
  const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1', SYSTEMD_OFFLINE: '1' };
  const install = () => run('apt-get', ['install', '-y', '--no-install-recommends', ...packages], { env });
  const first = await install();
  if (first.ok) return first;
  await run('apt-get', ['update'], { env }); // a new machine has no lists yet
  return install();
}

/** The command by which a person installs `packages`, given by package manager. */
export function installCommand(packages) {
  const managers = [
    ['apt-get', 'sudo apt-get install -y'],
    ['dnf', 'sudo dnf install -y'],
    ['pacman', 'sudo pacman -S --noconfirm'],
    ['zypper', 'sudo zypper install -y'],
    ['apk', 'sudo apk add'],
    ['brew', 'brew install'],
  ];
  const found = managers.find(([program]) => findProgram(program));
  return found ? `${found[1]} ${packages[found[0]] ?? packages.other}` : null;
}

function isDebian() {
  try {
    return /^ID(?:_LIKE)?=.*(?:debian|ubuntu)/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}
