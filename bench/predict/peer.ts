/** The peer at its best: every setting is tried under each load, and the best one answers in the rounds. */
import { type FastApi, type Setting, settingInWords, settings, startFastApi } from '../lib/fastapi.ts';
import { type Load, type LoadOf, type Scenario, single } from './load.ts';

const trialSeconds = 3;

export type Trial = { readonly scenario: string; readonly setting: Setting; readonly load: Load };
export type Peer = {
  readonly trials: readonly Trial[];
  settingFor(scenario: Scenario): Setting;
  serverFor(scenario: Scenario): FastApi;
};

/** A server for each setting that is the best under one of the loads; those that rest use no processor. */
export async function startPeerAtItsBest(
  python: string,
  weights: string,
  scenarios: readonly Scenario[],
  load: LoadOf,
): Promise<Peer> {
  const trials: Trial[] = [];
  for (const setting of settings) {
    const server = await startFastApi(python, weights, setting);
    for (const scenario of scenarios) trials.push(await tryOut(server, setting, scenario, load));
    await server.end();
  }
  const servers = new Map<Setting, FastApi>();
  const settingFor = (scenario: Scenario) => bestOf(trials, scenario);
  for (const setting of new Set(scenarios.map(settingFor)))
    servers.set(setting, await startFastApi(python, weights, setting));
  return { trials, settingFor, serverFor: (scenario) => servers.get(settingFor(scenario))! };
}

async function tryOut({ url }: FastApi, setting: Setting, scenario: Scenario, load: LoadOf): Promise<Trial> {
  const what = `a trial of FastAPI, ${settingInWords(setting)}`;
  const result = await load(what, url, scenario, trialSeconds);
  const figures = `${result.perSecond.toFixed(0)} answers/s, p50 ${result.p50.toFixed(2)} ms`;
  console.log(`${what}: ${scenario.name}: ${figures}`);
  return { scenario: scenario.name, setting, load: result };
}

/** Compares the latency where there is one connection, else the answers a second. */
function bestOf(trials: readonly Trial[], scenario: Scenario): Setting {
  const worth = ({ load }: Trial) => (scenario === single ? -load.p50 : load.perSecond);
  const own = trials.filter((trial) => trial.scenario === scenario.name);
  return own.toSorted((a, b) => worth(b) - worth(a))[0]!.setting;
}
