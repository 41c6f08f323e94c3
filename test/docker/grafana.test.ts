/** What Prometheus and Grafana are given fits what the service tells and what docker-compose.yml mounts. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { readFamilies } from '../routes/metric-names.ts';
import { buildQuietApp } from '../routes/quiet-app.ts';
import { temporaryDirectory } from '../temporary.ts';

type Panel = {
  readonly id: number;
  readonly type: string;
  readonly title?: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
};

type Service = {
  readonly image: string;
  readonly user: string;
  readonly ports: readonly { readonly host_ip: string }[];
  readonly volumes: readonly { readonly type: string; readonly source: string }[];
};

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(`${root}/${path}`, 'utf8');
const dashboard = JSON.parse(read('docker/grafana/dashboards/trainyard.json')) as {
  panels: Panel[];
  annotations: { list: { name: string; expr: string }[] };
};
const panels = dashboard.panels.filter(({ type }) => type !== 'row');
const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

const app = await buildQuietApp();
const families = readFamilies((await app.inject('/metrics')).body);
await app.close();

it('asks for nothing that the service does not tell', () => {
  const names = families.flatMap(({ name, type }) =>
    type === 'histogram' ? ['bucket', 'sum', 'count'].map((suffix) => `${name}_${suffix}`) : [name],
  );
  const asked = expressions.flatMap((expr) => expr.match(/\b(?:trainyard|nodejs|process)_\w+/g) ?? []);
  expect(asked.length).toBeGreaterThanOrEqual(expressions.length - 1); // `up` is Prometheus's own
  expect(asked.filter((name) => !names.includes(name))).toEqual([]);
});

it('shows all that is ours', () => {
  const shown = expressions.join('\n');
  const missing = families.filter(({ name }) => name.startsWith('trainyard_') && !shown.includes(name));
  expect(missing).toEqual([]);
});

it('has panels that say what they show, in which unit, and lie beside each other', () => {
  expect(panels.length).toBeGreaterThan(15);
  const taken = new Set<string>();
  for (const { title, fieldConfig, targets, gridPos } of panels) {
    expect(title).toMatch(/\w/);
    expect(fieldConfig?.defaults.unit, title).toMatch(/\w/);
    for (const { legendFormat } of targets!) expect(legendFormat, title).toMatch(/\w/);
    expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    expect(taken.has(`${gridPos.x},${gridPos.y}`), title).toBe(false);
    taken.add(`${gridPos.x},${gridPos.y}`);
  }
  const ids = dashboard.panels.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

it('marks the changes of champions', () => {
  const [{ name, expr }] = dashboard.annotations.list as [{ name: string; expr: string }];
  expect(name).toBe('Champion changes');
  expect(expr).toContain('trainyard_alias_version{alias="champion"}');
});

it('reads from the source that is provisioned', () => {
  const uid = /uid: (\w+)/.exec(read('docker/grafana/provisioning/datasources/prometheus.yml'))?.[1];
  expect(new Set(panels.map(({ datasource }) => datasource?.uid))).toEqual(new Set([uid]));
});

const compose = ['compose', '-f', `${root}/docker-compose.yml`, '--profile', 'observability', 'config'];
const hasCompose = (() => {
  try {
    execFileSync('docker', ['compose', 'version'], { stdio: 'ignore' });
    return true;
  } catch {
    process.stderr.write('Compose file not checked: there is no "docker compose" here\n');
    return false;
  }
})();

it.runIf(hasCompose)(
  'starts with the profile alone, on loopback, as nobody, with what is mounted there',
  () => {
    const configOf = (...args: string[]) =>
      execFileSync('docker', [...compose, ...args], {
        encoding: 'utf8',
        env: { ...process.env, API_KEY: '' },
      });
    const { services } = JSON.parse(configOf('--format', 'json')) as { services: Record<string, Service> };
    for (const name of ['prometheus', 'grafana']) {
      const service = services[name]!;
      expect(service).toMatchObject({ profiles: ['observability'], read_only: true });
      expect(service).toHaveProperty('healthcheck');
      expect(service).toHaveProperty('mem_limit');
      expect(service.user).toMatch(/^(?:nobody|[1-9]\d*)$/);
      expect(service.image).toMatch(/:v?\d+\.\d+\.\d+$/);
      expect(service.ports.map((port) => port.host_ip)).toEqual(['127.0.0.1']);
      const missing = service.volumes.filter(({ type, source }) => type === 'bind' && !existsSync(source));
      expect(missing).toEqual([]);
    }
  },
);

it('hands Prometheus the first of several keys, and none where there is none', async () => {
  const file = join(await temporaryDirectory(), 'api-key');
  const script = /^\s+- '(umask .*)'$/m.exec(read('docker-compose.yml'))![1]!;
  const shown = script.replaceAll('$$', '$').replace('/tmp/api-key', file).replace('exec prometheus', 'echo');
  const run = (key: string) => {
    const env = { PATH: process.env['PATH'], API_KEY: key };
    const output = execFileSync('sh', ['-c', shown, 'prometheus', '--an-option'], { encoding: 'utf8', env });
    return { output, key: readFileSync(file, 'utf8'), mode: statSync(file).mode & 0o777 };
  };
  expect(run('first-key,second-key')).toEqual({ output: '--an-option\n', key: 'first-key', mode: 0o600 });
  expect(run('')).toMatchObject({ key: '' });
});
