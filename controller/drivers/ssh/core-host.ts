import '../../../agent/hosts/node/builtins.ts';
import { type Agent, createAgent } from '../../../agent/core/agent.ts';
import type { Action, Input, Publication } from '../../../agent/core/io.ts';
import type { Clock } from '../../../broker/clock.ts';
import type { Inbound } from '../../../broker/contract/inbound.ts';
import type { AgentEvent, RunResult } from '../../../broker/contract/messages.ts';
import type { Log } from '../../../broker/log.ts';
import type { Remote } from './remote.ts';
import { KEY_PATH } from './remote-scripts.ts';

type Of<K extends Action['kind']> = Extract<Action, { kind: K }>;

export interface CoreHostOptions {
  device: string;
  clock: Clock;
  log: Log;
  /** A fresh random id for each nonce. */
  random: () => string;
  /** With which the core answers. */
  boot: string;
  /** Version of perfleet. */
  version: string;
  onMessage: (message: Inbound) => void;
  /** The device, while we are in. */
  remote: () => Remote | null;
  /** iperf3 is to run; `exited` must follow. */
  onSpawn: (action: Of<'spawn'>) => void;
  /** Is called with each event before it is told. */
  onEvent: (event: AgentEvent) => void;
}

/** The contract takes reasons up to 1000 characters. */
const LONGEST_REASON = 1000;

const NO_LIMITS = { max_duration_s: null, max_streams: null, max_bitrate: null, servers: null };

/**
 * An agent's core in this process: takes its inputs one after another, and does what it decides, on the device as far as we are in. What it
 * publishes becomes the message that a broker would have brought.
 */
export class CoreHost {
  readonly #options: CoreHostOptions;
  readonly #core: Agent;
  /** Inputs that came while one was handled. */
  readonly #inputs: Input[] = [];
  #handling = false;
  #cancelWake = () => {};
  #onStopped = () => {};
  /** The results that were not accepted yet, by run. */
  readonly #kept = new Map<string, RunResult>();
  /** Whether it is known which iperf3 is there. */
  #looked = false;

  /** Starts nothing yet. */
  constructor(options: CoreHostOptions) {
    const { device, boot, version, random } = options;
    this.#options = options;
    const identity = { device, boot, agent: version, host: 'ssh' as const, iperf3: null, key_path: KEY_PATH };
    this.#core = createAgent({ ...identity, limits: NO_LIMITS, random, stored: [] });
  }

  /** Whether something would be forgotten with it. */
  get hasResults(): boolean {
    return this.#kept.size > 0;
  }

  /** What would be forgotten with it, as it is told. */
  get results(): Inbound[] {
    const { device } = this.#options;
    return [...this.#kept.values()].map((payload) => ({ kind: 'result', device, payload }));
  }

  /** Does what the core decides. */
  take(input: Input): void {
    this.#inputs.push(input);
    if (this.#handling) return;
    this.#handling = true;
    for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
      for (const action of this.#core.handle(next, this.#options.clock.now())) this.#do(action);
    }
    this.#handling = false;
  }

  /** Declines a run of which the core has not heard. */
  decline(run: string, reason: string): void {
    const { boot } = this.#options;
    this.#tellEvent({ type: 'declined', run, boot, token: null, nonce: null, reason: reason.slice(0, LONGEST_REASON) });
  }

  /** Resolves when the core has ended what runs. */
  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onStopped = resolve;
      this.take({ kind: 'stop' });
    });
    this.end();
  }

  /** It is not woken any more. */
  end(): void {
    this.#cancelWake();
  }

  #do(action: Action): void {
    const { device, boot, clock, log, onSpawn } = this.#options;
    const remote = this.#options.remote();
    switch (action.kind) {
      case 'wake': {
        const { at_ms } = action;
        this.#cancelWake();
        if (at_ms !== null) this.#cancelWake = clock.after(at_ms - clock.now(), () => this.take({ kind: 'wake' }));
        break;
      }
      case 'publish':
        this.#publish(action);
        break;
      case 'check':
        void this.#check(action);
        break;
      case 'arm':
        remote?.arm(action);
        break;
      case 'disarm':
        remote?.disarm(action.key);
        break;
      case 'spawn':
        onSpawn(action);
        break;
      case 'kill':
        remote?.kill(action);
        break;
      case 'store_result': {
        const { run, token, tests } = action.result;
        this.#kept.set(run, { run, token, boot, tests });
        break;
      }
      case 'forget_result':
        this.#kept.delete(action.run);
        break;
      case 'log':
        log[action.level]({ device }, action.message);
        break;
      case 'exit':
        this.#onStopped();
        break;
    }
  }

  /** A connection that is lost or was cut is answered by what follows from that. */
  async #check(action: Of<'check'>): Promise<void> {
    const found = await this.#options
      .remote()
      ?.look(action)
      .catch(() => undefined);
    if (found === undefined) return;
    this.#looked = true;
    this.take({ kind: 'checked', key: action.key, ...found });
  }

  #publish(publication: Publication): void {
    const { device } = this.#options;
    if (publication.what === 'event') this.#tellEvent(publication.payload);
    else if (publication.what === 'result') this.#tell({ kind: 'result', device, payload: publication.payload });
    else if (this.#looked) this.#tell({ kind: 'status', device, payload: publication.payload });
  }

  #tellEvent(payload: AgentEvent): void {
    this.#options.onEvent(payload);
    this.#tell({ kind: 'event', device: this.#options.device, payload });
  }

  /** As if it came from a broker: when what is done now is done. */
  #tell(message: Inbound): void {
    queueMicrotask(() => this.#options.onMessage(message));
  }
}
