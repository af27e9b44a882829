import '../../../agent/hosts/node/builtins.ts';
import { type Agent, createAgent } from '../../../agent/core/agent.ts';
import type { Action, Input, Publication } from '../../../agent/core/io.ts';
import type { Inbound } from '../../../broker/contract/inbound.ts';
import type { AgentEvent, Command } from '../../../broker/contract/messages.ts';
import { DEADLINE_MARGIN_MS, START_WINDOW_MS } from '../../../broker/contract/numbers.ts';
import { Link, type LinkOptions } from './link.ts';
import type { Remote } from './remote.ts';
import { KEY_PATH } from './remote-scripts.ts';
import { SshFailure } from './ssh-failure.ts';

export interface SessionOptions
  extends Pick<LinkOptions, 'device' | 'targetOf' | 'clock' | 'log' | 'handshakes' | 'keys'> {
  onMessage: (message: Inbound) => void;
  /** A fresh random id for each nonce. */
  random: () => string;
  /** With which it answers. */
  boot: string;
  /** Version of perfleet. */
  version: string;
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
  #onStopped = () => {};

  readonly #link: Link;
  /** Until then a `start` alone is no reason to try again. */
  #pause_until_ms = Number.NEGATIVE_INFINITY;
  #waiting: Waiting[] = [];

  /** The run that was prepared last, until it starts or is declined. */
  #on_deck: string | null = null;
  /** The iperf3 that is alive as far as we know, and when its guard kills it. */
  #alive: { key: number; until_ms: number } | null = null;
  /** What is to be said of it when it is known to be gone; null while the connection is there. */
  #lost: { exited: Input; cancels: (() => void)[] } | null = null;
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
    this.#link = new Link({
      ...options,
      onExit: (key, exit) => this.#onExit({ kind: 'exited', key, ...exit }),
      onUp: () => this.#onUp(),
      onFailed: (failure) => this.#onFailed(failure),
      onDown: (remote) => this.#onDown(remote),
    });
    this.#touch();
  }

  /** Takes a command of the contract. */
  command(command: Command): void {
    if (this.#stopping) return;
    this.#touch();
    if (command.type === 'prepare' && this.#alive === null && this.#on_deck === null) this.#link.renew();
    if (command.type === 'cancel') this.#waiting = this.#waiting.filter(({ run }) => run !== command.run);
    const isDown = this.#link.remote === null && this.#alive === null;
    // Once we were in, nothing of an earlier controller is left: the core knows what to say to a `start`.
    const waits = command.type === 'prepare' || (command.type === 'start' && !this.#connected);
    if (isDown && waits) this.#wait(command);
    else this.#hand(command);
  }

  /** Ends iperf3 and the connection, and resolves when both are gone: within 4 s. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#waiting = [];
    await new Promise<void>((resolve) => {
      this.#onStopped = resolve;
      this.#take({ kind: 'stop' });
    });
    this.#cancelWake();
    this.#cancelIdle();
    for (const cancel of this.#lost?.cancels ?? []) cancel();
    await this.#link.stop();
  }

  #wait(command: Waiting): void {
    const { clock } = this.#options;
    if (command.type === 'start' && !this.#link.isReaching && clock.now() < this.#pause_until_ms) return;
    this.#waiting = this.#waiting.filter(({ type, run }) => type !== command.type || run !== command.run);
    this.#waiting.push(command);
    this.#link.reach();
  }

  #hand(command: Command): void {
    if (command.type === 'prepare') this.#on_deck = command.run;
    if (command.type === 'cancel' && this.#on_deck === command.run) this.#on_deck = null;
    this.#take({ kind: 'message', topic: 'command', payload: command });
  }

  #onUp(): void {
    if (!this.#connected) this.#take({ kind: 'connected' });
    this.#connected = true;
    // `enter` has ended it.
    if (this.#lost !== null) this.#onExit(this.#lost.exited);
    for (const command of this.#waiting.splice(0)) this.#hand(command);
  }

  #onFailed(failure: SshFailure): void {
    const { device, clock, log } = this.#options;
    log.info({ device, reason: failure.message }, 'device not reached over SSH');
    this.#pause_until_ms = clock.now() + PAUSE_MS;
    for (const { type, run } of this.#waiting.splice(0)) {
      if (type === 'prepare') this.#decline(run, failure.message);
    }
    // What is wrong with keys and credentials stays wrong: its guard ends the iperf3 that runs there.
    if (failure.code === 'device-unreachable') {
      this.#lost?.cancels.push(clock.after(PAUSE_MS, () => this.#link.reach()));
    }
  }

  #onDown(remote: Remote): void {
    const { device, clock, log } = this.#options;
    log.info({ device }, 'the SSH connection was lost');
    const run = this.#on_deck;
    if (run !== null) {
      this.#hand({ type: 'cancel', run, reason: LOST });
      this.#decline(run, new SshFailure('device-unreachable', LOST).message);
    }
    if (this.#alive === null) return;
    const { key, until_ms } = this.#alive;
    const { stdout = '', stderr = '' } = remote.unended() ?? {};
    const exited: Input = { kind: 'exited', key, exit_code: null, stdout, stderr: `${stderr}\nperfleet: ${LOST}` };
    const cancel = clock.after(until_ms + LATE_MS - clock.now(), () => this.#onExit(exited));
    this.#lost = { exited, cancels: [cancel] };
    this.#link.reach();
  }

  #onExit(exited: Input): void {
    this.#alive = null;
    for (const cancel of this.#lost?.cancels ?? []) cancel();
    this.#lost = null;
    this.#touch();
    this.#take(exited);
  }

  #touch(): void {
    this.#cancelIdle();
    this.#cancelIdle = this.#options.clock.after(IDLE_MS, () => this.#onIdle());
  }

  #onIdle(): void {
    const isBusy = this.#alive !== null || this.#link.isReaching;
    if (!isBusy) this.#link.hangUp();
    if (isBusy || this.#kept.size > 0) this.#touch();
    else {
      this.#cancelWake();
      this.#options.onOver();
    }
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
    const { remote } = this.#link;
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
        if (remote !== null) remote.spawn(action);
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
        this.#onStopped();
        break;
    }
  }

  /** A lost connection is answered by what follows from that. */
  async #check(action: Extract<Action, { kind: 'check' }>): Promise<void> {
    const found = await this.#link.remote?.look(action).catch(() => undefined);
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
