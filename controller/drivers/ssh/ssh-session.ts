import '../../../agent/hosts/node/builtins.ts';
import { type Agent, createAgent } from '../../../agent/core/agent.ts';
import type { Action, Input, Publication } from '../../../agent/core/io.ts';
import type { Exit } from '../../../agent/hosts/node/guarded.ts';
import type { Clock } from '../../../broker/clock.ts';
import type { Inbound } from '../../../broker/contract/inbound.ts';
import type { AgentEvent, Command } from '../../../broker/contract/messages.ts';
import { DEADLINE_MARGIN_MS, START_WINDOW_MS } from '../../../broker/contract/numbers.ts';
import type { Log } from '../../../broker/log.ts';
import { type Connection, connect } from './connection.ts';
import type { Handshakes } from './handshakes.ts';
import { Remote } from './remote.ts';
import { KEY_PATH } from './remote-scripts.ts';
import { SshFailure } from './ssh-failure.ts';
import type { SshTarget } from './target.ts';

export interface SessionOptions {
  device: string;
  targetOf: (device: string) => SshTarget | null;
  onMessage: (message: Inbound) => void;
  clock: Clock;
  random: () => string;
  log: Log;
  boot: string;
  version: string;
  handshakes: Handshakes;
  /** Nothing is left to do for this device, and nothing would be forgotten with the session. */
  onOver: () => void;
}

/** A connection that nobody has used for this long is closed. */
const IDLE_MS = 30_000;

/** After a device could not be reached: so long until a `start` (or what is left running there) makes us try again. */
const PAUSE_MS = 5000;

const LOST = 'the SSH connection to the device was lost';

/** A guard counts from its line, which may take START_WINDOW_MS to get there. */
const LATE_MS = START_WINDOW_MS + DEADLINE_MARGIN_MS;

/** The contract takes reasons up to 1000 characters. */
const LONGEST_REASON = 1000;

const NO_LIMITS = { max_duration_s: null, max_streams: null, max_bitrate: null, servers: null };

type Waiting = Extract<Command, { type: 'prepare' | 'start' }>;

interface Up {
  connection: Connection;
  remote: Remote;
  /** The settings that it was made with, to know others from them. */
  target: string;
}

const asFailure = (error: unknown): SshFailure =>
  error instanceof SshFailure ? error : new SshFailure('ssh-failed', String(error));

/**
 * One device over SSH, as long as there is something to do for it. The decisions are those of an agent's core; here is how it gets through:
 *
 *     down ──prepare, start──▶ reaching ──entered──▶ up ──30 s unused──▶ down
 *                                 └─ failed: down     └─ lost ──iperf3 was running──▶ reaching, every 5 s
 *
 * - What comes while it is not up waits. When the device cannot be reached, each `prepare` that waits is declined with the failure, and each
 *   `start` stays without an answer: a run of an earlier controller may be alive there.
 * - When the connection is lost, what is on deck is declined, and a running iperf3 is not said to have ended before that is known: when we are in
 *   again, as `enter` ends it, or when its guard has killed it.
 *
 * Invariant: at most one connection, so at most one guard with a line; a new one has ended what the one before it left.
 */
export class SshSession {
  readonly #options: SessionOptions;
  readonly #core: Agent;
  /** Inputs that came while one was handled. */
  readonly #inputs: Input[] = [];
  #handling = false;
  #connected = false;
  #stopping = false;
  #cancelWake = () => {};
  #cancelIdle = () => {};
  readonly #end = new AbortController();

  #up: Up | null = null;
  #reaching = false;
  /** Until then a `start` alone is no reason to try again. */
  #pause_until_ms = Number.NEGATIVE_INFINITY;
  #waiting: Waiting[] = [];

  /** The run that was prepared last, until it starts or is declined. */
  #on_deck: string | null = null;
  /** The iperf3 that is alive as far as we know, and when its guard kills it. */
  #alive: { key: number; until_ms: number } | null = null;
  /** What is to be said of it when it is known to be gone; null while the connection is there. */
  #lost: { exited: Input; cancel: () => void } | null = null;
  /** Runs whose results were not accepted yet. */
  readonly #kept = new Set<string>();
  /** Whether it is known which iperf3 is there. */
  #looked = false;

  /** Starts nothing yet. */
  constructor(options: SessionOptions) {
    const { device, boot, version, random } = options;
    this.#options = options;
    const identity = { device, boot, agent: version, host: 'ssh' as const, iperf3: null, key_path: KEY_PATH };
    this.#core = createAgent({ ...identity, limits: NO_LIMITS, random, stored: [] });
    this.#touch();
  }

  /** Takes a command of the contract. */
  command(command: Command): void {
    if (this.#stopping) return;
    this.#touch();
    if (command.type === 'prepare') this.#renew();
    if (command.type === 'cancel') this.#waiting = this.#waiting.filter(({ run }) => run !== command.run);
    const needsDevice = command.type === 'prepare' || command.type === 'start';
    if (needsDevice && this.#up === null && this.#alive === null) this.#wait(command);
    else this.#hand(command);
  }

  /** Ends iperf3 and the connection, and resolves when both are gone: within 4 s. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#waiting = [];
    const over = new Promise<void>((resolve) => this.#end.signal.addEventListener('abort', () => resolve()));
    this.#take({ kind: 'stop' });
    await over;
    this.#cancelWake();
    this.#cancelIdle();
    this.#lost?.cancel();
    const { connection } = this.#up ?? {};
    this.#up = null;
    connection?.end();
    await connection?.closed;
  }

  /** A connection with old settings is not used again. */
  #renew(): void {
    if (this.#up === null || this.#alive !== null || this.#on_deck !== null) return;
    if (this.#up.target !== JSON.stringify(this.#options.targetOf(this.#options.device))) this.#hangUp();
  }

  #wait(command: Waiting): void {
    const { clock } = this.#options;
    if (command.type === 'start' && !this.#reaching && clock.now() < this.#pause_until_ms) return;
    this.#waiting = this.#waiting.filter(({ type, run }) => type !== command.type || run !== command.run);
    this.#waiting.push(command);
    void this.#reach();
  }

  #hand(command: Command): void {
    if (command.type === 'prepare') this.#on_deck = command.run;
    if (command.type === 'cancel' && this.#on_deck === command.run) this.#on_deck = null;
    this.#take({ kind: 'message', topic: 'command', payload: command });
  }

  async #reach(): Promise<void> {
    if (this.#reaching) return;
    this.#reaching = true;
    try {
      const up = await this.#connect();
      this.#reaching = false;
      if (this.#stopping) up.connection.end();
      else this.#onUp(up);
    } catch (error) {
      this.#reaching = false;
      if (!this.#stopping) this.#onUnreachable(asFailure(error));
    }
  }

  async #connect(): Promise<Up> {
    const { device, targetOf, clock, log, handshakes } = this.#options;
    const target = targetOf(device);
    if (target === null) throw new SshFailure('device-unreachable', 'it has no SSH settings');
    const { signal } = this.#end;
    const connection = await connect(target, { clock, handshakes, signal });
    signal.addEventListener('abort', connection.cut);
    void connection.closed.then(() => signal.removeEventListener('abort', connection.cut));
    const onExit = (key: number, exit: Exit) => this.#onExit({ kind: 'exited', key, ...exit });
    const remote = new Remote({ device, connection, clock, log, onExit });
    try {
      await remote.enter();
    } catch (error) {
      connection.end();
      throw error;
    }
    return { connection, remote, target: JSON.stringify(target) };
  }

  #onUp(up: Up): void {
    this.#up = up;
    void up.connection.closed.then(() => this.#onDown(up));
    if (!this.#connected) this.#take({ kind: 'connected' });
    this.#connected = true;
    // `enter` has ended it.
    if (this.#lost !== null) this.#onExit(this.#lost.exited);
    for (const command of this.#waiting.splice(0)) this.#hand(command);
  }

  #onUnreachable(failure: SshFailure): void {
    const { device, clock, log } = this.#options;
    log.info({ device, reason: failure.message }, 'device not reached over SSH');
    this.#pause_until_ms = clock.now() + PAUSE_MS;
    for (const { type, run } of this.#waiting.splice(0)) {
      if (type === 'prepare') this.#decline(run, failure.message);
    }
    // What is wrong with keys and credentials stays wrong: its guard ends the iperf3 that runs there.
    if (this.#lost !== null && failure.code === 'device-unreachable') clock.after(PAUSE_MS, () => this.#reachAgain());
  }

  /** The connection is over, and it was not we who ended it. */
  #onDown(up: Up): void {
    if (this.#up !== up) return;
    this.#up = null;
    const { device, clock, log } = this.#options;
    log.info({ device }, 'the SSH connection was lost');
    const run = this.#on_deck;
    if (run !== null) {
      this.#hand({ type: 'cancel', run, reason: LOST });
      this.#decline(run, new SshFailure('device-unreachable', LOST).message);
    }
    if (this.#alive === null) return;
    const { key, until_ms } = this.#alive;
    const { stdout = '', stderr = '' } = up.remote.unended() ?? {};
    const exited: Input = { kind: 'exited', key, exit_code: null, stdout, stderr: `${stderr}\nperfleet: ${LOST}` };
    const cancel = clock.after(until_ms + LATE_MS - clock.now(), () => this.#onExit(exited));
    this.#lost = { exited, cancel };
    this.#reachAgain();
  }

  #reachAgain(): void {
    if (this.#lost !== null && this.#up === null && !this.#stopping) void this.#reach();
  }

  #onExit(exited: Input): void {
    this.#alive = null;
    this.#lost?.cancel();
    this.#lost = null;
    this.#touch();
    this.#take(exited);
  }

  #hangUp(): void {
    this.#up?.connection.end();
    this.#up = null;
  }

  #touch(): void {
    this.#cancelIdle();
    this.#cancelIdle = this.#options.clock.after(IDLE_MS, () => this.#onIdle());
  }

  #onIdle(): void {
    const isBusy = this.#alive !== null || this.#reaching;
    if (!isBusy) this.#hangUp();
    if (isBusy || this.#kept.size > 0) this.#touch();
    else this.#options.onOver();
  }

  /** Does what the core decides, one input after another. */
  #take(input: Input): void {
    this.#inputs.push(input);
    if (this.#handling) return;
    this.#handling = true;
    for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
      for (const action of this.#core.handle(next, this.#options.clock.now())) this.#do(action);
    }
    this.#handling = false;
  }

  #do(action: Action): void {
    const { device, clock, log } = this.#options;
    const remote = this.#up?.remote;
    switch (action.kind) {
      case 'wake': {
        const { at_ms } = action;
        this.#cancelWake();
        if (at_ms !== null) this.#cancelWake = clock.after(at_ms - clock.now(), () => this.#take({ kind: 'wake' }));
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
        this.#alive = action;
        if (remote !== undefined) remote.spawn(action);
        else
          this.#onExit({ kind: 'exited', key: action.key, exit_code: null, stdout: '', stderr: `perfleet: ${LOST}` });
        break;
      case 'kill':
        remote?.kill(action);
        break;
      case 'store_result':
        this.#kept.add(action.result.run);
        break;
      case 'forget_result':
        this.#kept.delete(action.run);
        break;
      case 'log':
        log[action.level]({ device }, action.message);
        break;
      case 'exit':
        this.#end.abort();
        break;
    }
  }

  /** A lost connection is answered by what follows from that. */
  async #check(action: Extract<Action, { kind: 'check' }>): Promise<void> {
    const found = await this.#up?.remote.look(action).catch(() => undefined);
    if (found === undefined) return;
    this.#looked = true;
    this.#take({ kind: 'checked', key: action.key, ...found });
  }

  #publish(publication: Publication): void {
    const { device } = this.#options;
    if (publication.what === 'event') this.#tellEvent(publication.payload);
    else if (publication.what === 'result') this.#tell({ kind: 'result', device, payload: publication.payload });
    else if (this.#looked) this.#tell({ kind: 'status', device, payload: publication.payload });
  }

  #tellEvent(payload: AgentEvent): void {
    if (payload.type === 'ready') this.#touch();
    else if (payload.run === this.#on_deck) this.#on_deck = null;
    this.#tell({ kind: 'event', device: this.#options.device, payload });
  }

  #decline(run: string, reason: string): void {
    const { boot } = this.#options;
    this.#tellEvent({ type: 'declined', run, boot, token: null, nonce: null, reason: reason.slice(0, LONGEST_REASON) });
  }

  /** As if it came from a broker: when what is done now is done. */
  #tell(message: Inbound): void {
    queueMicrotask(() => this.#options.onMessage(message));
  }
}
