import type { Action, Input } from '../../../agent/core/io.ts';
import type { Inbound } from '../../../broker/contract/inbound.ts';
import type { AgentEvent, Command } from '../../../broker/contract/messages.ts';
import { DEADLINE_MARGIN_MS, START_WINDOW_MS } from '../../../broker/contract/numbers.ts';
import { CoreHost, type CoreHostOptions } from './core-host.ts';
import { Link, type LinkOptions } from './link.ts';
import type { Remote } from './remote.ts';
import { SshFailure } from './ssh-failure.ts';

export interface SessionOptions
  extends Pick<LinkOptions, 'device' | 'targetOf' | 'clock' | 'log' | 'handshakes' | 'keys'>,
    Pick<CoreHostOptions, 'random' | 'boot' | 'version' | 'onMessage'> {
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

type Waiting = Extract<Command, { type: 'prepare' | 'start' }>;

/**
 * One device over SSH, as long as there is something to do for it. What to do is decided by an agent's core; here is how that gets through:
 *
 *     down ──prepare, start──▶ reaching ──entered──▶ up ──30 s unused──▶ down
 *                                 └─ failed: down     └─ lost ──iperf3 was running──▶ reaching, every 5 s
 *
 * - What comes while it is not up waits. When the device cannot be reached, each `prepare` that waits is declined with the failure, and each
 *   `start` stays without an answer: a run of an earlier controller may be alive there.
 * - When the connection is lost, what is on deck is declined, and a running iperf3 is not said to have ended before that is known: when we are in
 *   again with the same settings, as `enter` ends it, or when its guard has killed it.
 *
 * Invariant: at most one connection, so at most one guard with a line; a new one has ended what the one before it left.
 */
export class SshSession {
  readonly #options: SessionOptions;
  readonly #core: CoreHost;
  readonly #link: Link;
  #connected = false;
  #stopping = false;
  #cancelIdle = () => {};

  /** Until then a `start` alone is no reason to try again. */
  #pause_until_ms = Number.NEGATIVE_INFINITY;
  #waiting: Waiting[] = [];

  /** The run that was prepared last, until it starts or is declined. */
  #on_deck: string | null = null;
  /** The iperf3 that is alive as far as we know, and when its guard kills it. */
  #alive: { key: number; until_ms: number } | null = null;
  /** What is to be said of it when it is known to be gone, and where it runs; null while the connection is there. */
  #lost: { exited: Input; target: string; cancels: (() => void)[] } | null = null;

  /** Starts nothing yet. */
  constructor(options: SessionOptions) {
    this.#options = options;
    this.#core = new CoreHost({
      ...options,
      remote: () => this.#link.remote,
      onSpawn: (action) => this.#onSpawn(action),
      onEvent: (event) => this.#onEvent(event),
    });
    this.#link = new Link({
      ...options,
      onExit: (key, exit) => this.#onExit({ kind: 'exited', key, ...exit }),
      onUp: (target) => this.#onUp(target),
      onFailed: (failure) => this.#onFailed(failure),
      onDown: (remote, target) => this.#onDown(remote, target),
    });
    this.#touch();
  }

  /** The results that are nowhere but here. */
  get results(): Inbound[] {
    return this.#core.results;
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
    await this.#core.stop();
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
    this.#core.take({ kind: 'message', topic: 'command', payload: command });
  }

  #onUp(target: string): void {
    if (!this.#connected) this.#core.take({ kind: 'connected' });
    this.#connected = true;
    // `enter` has ended it, unless the settings were changed meanwhile: then we are somewhere else, and its guard ends it.
    if (this.#lost?.target === target) this.#onExit(this.#lost.exited);
    else if (this.#lost !== null) this.#link.hangUp();
    for (const command of this.#waiting.splice(0)) this.#hand(command);
  }

  #onFailed(failure: SshFailure): void {
    const { device, clock, log } = this.#options;
    log.info({ device, reason: failure.message }, 'device not reached over SSH');
    this.#pause_until_ms = clock.now() + PAUSE_MS;
    for (const { type, run } of this.#waiting.splice(0)) {
      if (type === 'prepare') this.#core.decline(run, failure.message);
    }
    // What is wrong with keys and credentials stays wrong: its guard ends the iperf3 that runs there.
    if (failure.code === 'device-unreachable') {
      this.#lost?.cancels.push(clock.after(PAUSE_MS, () => this.#link.reach()));
    }
  }

  #onDown(remote: Remote, target: string): void {
    const { device, clock, log } = this.#options;
    log.info({ device }, 'the SSH connection was lost');
    const run = this.#on_deck;
    if (run !== null) {
      const { message } = remote.failure ?? new SshFailure('device-unreachable', LOST);
      this.#hand({ type: 'cancel', run, reason: message });
      this.#core.decline(run, message);
    }
    if (this.#alive === null) return;
    const { key, until_ms } = this.#alive;
    const { stdout = '', stderr = '' } = remote.unended() ?? {};
    const exited: Input = { kind: 'exited', key, exit_code: null, stdout, stderr: `${stderr}\nperfleet: ${LOST}` };
    const cancel = clock.after(until_ms + LATE_MS - clock.now(), () => this.#onExit(exited));
    this.#lost = { exited, target, cancels: [cancel] };
    this.#link.reach();
  }

  #onEvent({ type, run }: AgentEvent): void {
    if (type === 'ready') this.#touch();
    else if (run === this.#on_deck) this.#on_deck = null;
  }

  #onSpawn(action: Extract<Action, { kind: 'spawn' }>): void {
    this.#alive = action;
    const { remote } = this.#link;
    if (remote !== null) remote.spawn(action);
    else this.#onExit({ kind: 'exited', key: action.key, exit_code: null, stdout: '', stderr: `perfleet: ${LOST}` });
  }

  #onExit(exited: Input): void {
    this.#alive = null;
    for (const cancel of this.#lost?.cancels ?? []) cancel();
    this.#lost = null;
    this.#touch();
    this.#core.take(exited);
  }

  #touch(): void {
    this.#cancelIdle();
    this.#cancelIdle = this.#options.clock.after(IDLE_MS, () => this.#onIdle());
  }

  #onIdle(): void {
    const isBusy = this.#alive !== null || this.#link.isReaching;
    if (!isBusy) this.#link.hangUp();
    if (isBusy || this.#core.hasResults) this.#touch();
    else {
      this.#core.end();
      this.#options.onOver();
    }
  }
}
