/**
 * The API's side of prediction. Decoding and inference run in a process of their own (predictor-process.ts), so that
 * neither blocks the event loop that answers requests, and a native crash costs a restart, not the service.
 */
import { EventEmitter, once } from 'node:events';
import { valueWithin } from '../../lib/value-within.ts';
import type { Engine } from '../engines/engine.ts';
import type { Serving } from './follow-registry.ts';
import { type LoadOutcome, notLoadedYet } from './loaded-versions.ts';
import type {
  AnyOutcome,
  ImageOrder,
  ImageTensor,
  LinePrediction,
  PredictFailure,
  PredictOutcome,
  PredictorMessage,
  PredictorNews,
  PredictorStart,
  PredictorWork,
  ServedModel,
  TensorOrder,
  TensorPrediction,
} from './messages.ts';
import {
  answerWithinMs,
  cancelled,
  type Load,
  notSent,
  PendingImages,
  restarted,
  timedOut,
} from './pending-images.ts';
import { PredictorSupervisor, type ProcessSupervisor } from './predictor-supervisor.ts';
import { defaultModel, noModel, type Selected, type Selector, selectVersion } from './select-version.ts';

export type PredictorEvents = {
  readonly onMessage?: (message: PredictorNews) => void;
  readonly onExit?: (how: string) => void;
};

export type PredictOptions = Selector & {
  /** Aborting it gives the outcome `CANCELLED` at once. An image that is not in a batch yet is then never inferred. */
  readonly signal?: AbortSignal;
  /** 0 … 1, decides between the shares of the traffic: images that share it are read by the same version. */
  readonly random?: number;
  /** Whether the prediction has `pixels`. */
  readonly withPixels?: boolean;
};

export type Predictor = {
  /**
   * Never throws: what can go wrong is in the outcome. It comes within 5 s, the load of its version included; with
   * `minVersion`, after at most 5 s more for such a champion.
   */
  predict(image: Uint8Array, options?: PredictOptions): Promise<PredictOutcome>;
  /** Likewise, for a line of characters. */
  predictLine(image: Uint8Array, options?: PredictOptions): Promise<PredictOutcome<LinePrediction>>;
  /** Likewise, for N images that are as the network takes them: one version reads them, in one batch or in a few. */
  predictTensor(tensor: ImageTensor, options?: PredictOptions): Promise<PredictOutcome<TensorPrediction>>;
  /** The champion of a model, or of the default one, that answers now; null before the first. */
  model(name?: string): ServedModel | null;
  /** What answers for each model. */
  serving(): Serving;
  /** Why no model answers: there is none yet, or the process is starting again. Null while one does. */
  unserved(): PredictFailure | null;
  /** Has a version loaded, checked and warmed up. Never throws. */
  loadVersion(version: number): Promise<LoadOutcome>;
  /** Has the registry looked at now, and resolves once `ready` holds of what answers; false after 5 s. */
  follow(ready: (serving: Serving) => boolean): Promise<boolean>;
  /** The engine that inference runs on; null until it is open. */
  engine(): Engine | null;
  /** What waits, and what the process that runs now has done, as of its last sign of life. */
  load(): Load & PredictorWork;
  close(): Promise<void>;
};

/** What is to be read, before it is known by which version. */
type Wanted = Omit<ImageOrder, 'version' | 'isPinned'> | Omit<TensorOrder, 'version' | 'isPinned'>;

const noWork: PredictorWork = { decodings: 0, inferences: 0 };
const mostLoads = 8; // versions that are being loaded at a time
const loadWithinMs = 5000;
const followWithinMs = 5000;
const isRestarting = 'the predictor is being started again; ask again in a second';
const loadTimedOut = `it takes longer than ${loadWithinMs / 1000} s; ask again in a second`;
const tooManyLoads = `${mostLoads} other versions are being loaded; ask again in a second`;
const mostTries = 3; // of an image whose version is unloaded while it is on its way

/** Starts the predictor and keeps it running until `close`. `withinMs`: the deadline of a prediction. */
export function startPredictor(
  start: PredictorStart,
  events: PredictorEvents = {},
  withinMs = answerWithinMs,
): Predictor {
  return createPredictor(new PredictorSupervisor(start), events, withinMs);
}

/** `supervisor`: of the process that infers; `close` ends it. */
export function createPredictor(
  supervisor: ProcessSupervisor,
  events: PredictorEvents = {},
  withinMs = answerWithinMs,
): Predictor {
  return new RunningPredictor(supervisor, events, withinMs);
}

class RunningPredictor implements Predictor {
  readonly #supervisor: ProcessSupervisor;
  readonly #images: PendingImages;
  readonly #events: PredictorEvents;
  readonly #withinMs: number;
  readonly #changes = new EventEmitter().setMaxListeners(0); // 'serving': what answers has changed
  readonly #loads = new Map<number, { outcome: Promise<LoadOutcome>; end: (outcome: LoadOutcome) => void }>();
  #serving: Serving = {};
  #champions: Readonly<Record<string, ServedModel>> = {};
  #engine: Engine | null = null;
  #hadModel = false;
  #closed = false;
  #work = noWork;

  constructor(supervisor: ProcessSupervisor, events: PredictorEvents, withinMs: number) {
    this.#events = events;
    this.#withinMs = withinMs;
    this.#supervisor = supervisor;
    this.#images = new PendingImages(this.#supervisor);
    this.#supervisor.run({
      onMessage: (message) => this.#onMessage(message),
      onEnd: (how) => this.#onEnd(how),
      onUnsendable: (request, error) => {
        if (request.type === 'image' || request.type === 'tensor')
          this.#images.answered(request.id, notSent(error));
      },
    });
  }

  predict(image: Uint8Array, options: PredictOptions = {}): Promise<PredictOutcome> {
    const { withPixels = false } = options;
    return this.#read({ image, as: 'character', withPixels }, options) as Promise<PredictOutcome>;
  }

  predictLine(image: Uint8Array, options: PredictOptions = {}): Promise<PredictOutcome<LinePrediction>> {
    const { withPixels = false } = options;
    const wanted = { image, as: 'line', withPixels } as const;
    return this.#read(wanted, options) as Promise<PredictOutcome<LinePrediction>>;
  }

  predictTensor(
    tensor: ImageTensor,
    options: PredictOptions = {},
  ): Promise<PredictOutcome<TensorPrediction>> {
    return this.#read({ tensor }, options) as Promise<PredictOutcome<TensorPrediction>>;
  }

  /** Gives what is wanted, by the version that `options` select. */
  async #read(wanted: Wanted, options: PredictOptions): Promise<AnyOutcome> {
    const { signal, minVersion } = options;
    if (minVersion !== undefined) await this.#untilServed(options);
    const endsAt = performance.now() + this.#withinMs;
    const { random = Math.random() } = options;
    let missing: number | null = null; // the version that the process did not have
    for (let tries = 1; ; tries++) {
      if (signal?.aborted) return cancelled;
      const unserved = this.unserved();
      if (unserved) return unserved;
      const selected = selectVersion(this.#serving, options, random);
      if (!selected.ok) return selected;
      const { version, isPinned, alias } = selected;
      if (version === missing) {
        const failure = await this.#loadBy(endsAt, version, signal);
        if (failure) return ofAlias(failure, selected);
      }
      const order = { ...wanted, version, isPinned };
      const ending = await this.#images.predict(order, signal, endsAt - performance.now());
      if (ending !== 'notLoaded') return this.#named(ending, options, alias);
      if (tries === mostTries) return restarted;
      missing = version;
    }
  }

  model(name = defaultModel(this.#serving)): ServedModel | null {
    return (name !== null && this.#champions[name]) || null;
  }

  serving(): Serving {
    return this.#serving;
  }

  unserved(): PredictFailure | null {
    if (Object.keys(this.#serving).length > 0) return null;
    return this.#hadModel ? restarted : noModel;
  }

  loadVersion(version: number): Promise<LoadOutcome> {
    const known = this.#loads.get(version);
    if (known) return known.outcome;
    if (!this.#supervisor.isRunning) return Promise.resolve(notLoadedYet(version, isRestarting));
    if (this.#loads.size >= mostLoads) return Promise.resolve(notLoadedYet(version, tooManyLoads));
    let end!: (outcome: LoadOutcome) => void;
    const outcome = new Promise<LoadOutcome>((resolve) => {
      end = resolve;
    });
    const timer = setTimeout(() => this.#endLoad(version, notLoadedYet(version, loadTimedOut)), loadWithinMs);
    this.#loads.set(version, { outcome, end });
    this.#supervisor.send({ type: 'load', version });
    return outcome.finally(() => clearTimeout(timer));
  }

  async follow(ready: (serving: Serving) => boolean): Promise<boolean> {
    this.#supervisor.send({ type: 'check' });
    return this.#untilServing(ready);
  }

  engine(): Engine | null {
    return this.#engine;
  }

  load(): Load & PredictorWork {
    return { ...this.#images.load(), ...this.#work };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#supervisor.close();
    this.#images.close();
  }

  /** Has a version loaded for a prediction that ends at `endsAt` (performance.now()). Null: it is loaded. */
  async #loadBy(endsAt: number, version: number, signal?: AbortSignal): Promise<PredictFailure | null> {
    const loaded = await valueWithin(this.loadVersion(version), endsAt - performance.now(), signal);
    if (loaded) return loaded.ok ? null : loaded;
    return signal?.aborted ? cancelled : timedOut;
  }

  #onMessage(message: PredictorMessage): void {
    if (message.type === 'answer') return this.#images.answered(message.id, message.outcome);
    if (message.type === 'notLoaded') return this.#images.answered(message.id, 'notLoaded');
    if (message.type === 'dropped') return this.#images.dropped(message.id);
    if (message.type === 'loadOutcome') return this.#endLoad(message.version, message.outcome);
    if (message.type === 'alive') {
      this.#work = message.work;
      return;
    }
    if (message.type === 'ready') this.#engine = message.engine;
    if (message.type === 'serving') this.#serve(message.serving, message.champions);
    this.#events.onMessage?.(message);
  }

  #serve(serving: Serving, champions: Readonly<Record<string, ServedModel>>): void {
    this.#serving = serving;
    this.#champions = champions;
    this.#hadModel = true;
    this.#images.sendNext();
    this.#changes.emit('serving');
  }

  #onEnd(how: string): void {
    this.#serving = {};
    this.#champions = {};
    this.#work = noWork;
    for (const version of this.#loads.keys()) this.#endLoad(version, notLoadedYet(version, isRestarting));
    if (this.#closed) return this.#images.close();
    this.#images.processEnded();
    this.#events.onExit?.(how);
  }

  #endLoad(version: number, outcome: LoadOutcome): void {
    this.#loads.get(version)?.end(outcome);
    this.#loads.delete(version);
  }

  /** Waits, up to a deadline, for a champion that is new enough; whether one came is seen afterwards. */
  async #untilServed(options: PredictOptions): Promise<void> {
    const mayCome = options.model === undefined ? ['NO_MODEL'] : ['NO_MODEL', 'MODEL_UNKNOWN'];
    await this.#untilServing((serving) => {
      const selected = selectVersion(serving, options, 0);
      return selected.ok || ![...mayCome, 'MIN_VERSION_NOT_SERVED'].includes(selected.code);
    }, options.signal);
  }

  async #untilServing(ready: (serving: Serving) => boolean, signal?: AbortSignal): Promise<boolean> {
    const ends = new AbortController();
    const served = async () => {
      while (!ready(this.#serving)) await once(this.#changes, 'serving', { signal: ends.signal });
      return true;
    };
    const result = await valueWithin(
      served().catch(() => false),
      followWithinMs,
      signal,
    );
    ends.abort(); // of the wait for an event
    return result ?? false;
  }

  /** With the alias that was asked for, and only by the model that was. */
  #named(outcome: AnyOutcome, { model }: Selector, alias: string | null): AnyOutcome {
    if (!outcome.ok) return outcome;
    const { name, version } = outcome.model;
    if (model !== undefined && model !== name) return ofOtherModel(version, name, model);
    return { ...outcome, model: { ...outcome.model, alias } };
  }
}

/** Says by which alias the version was chosen that can't answer. */
function ofAlias(failure: PredictFailure, { alias, version }: Selected): PredictFailure {
  const isLost = !failure.ok && (failure.code === 'MODEL_NOT_FOUND' || failure.code === 'MODEL_NOT_LOADABLE');
  if (!isLost || alias === null) return failure;
  const message = `alias ${alias} points to version ${version}: ${failure.message}; point the alias to another version`;
  return { ...failure, message };
}

function ofOtherModel(version: number, name: string, wanted: string): PredictFailure {
  const message = `expected a version of ${wanted}, got ${version}, which is one of ${name}`;
  return { ok: false, code: 'MODEL_NOT_FOUND', message };
}
