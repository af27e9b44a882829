import type { Agent } from '../../agent/core/agent.ts';
import { readCommand } from '../../agent/core/command.ts';
import type { Action, AgentIdentity, Input } from '../../agent/core/io.ts';
import type { AgentStatus, PrepareCommand, StartCommand } from '../../broker/contract/messages.ts';
import { PREPARE_TTL_MS, READY_INTERVAL_MS, START_WINDOW_MS } from '../../broker/contract/numbers.ts';
import type { PromiseName } from './promises.ts';
import { nameOf, WrittenResults } from './written-results.ts';
import { WrittenRun } from './written-run.ts';
import { WrittenVoice } from './written-voice.ts';

interface Prepared {
  command: PrepareCommand;
  text: string;
  at: number;
  /** Of its check. */
  key: number;
  ready: boolean;
  next_ready: number;
}

/**
 * An agent written from the text of docs/protocol.md, by somebody who has not read agent/core. It keeps every promise but the one that is
 * broken. Where the text leaves a choice it takes the one that is harder for the controller: nonces belong to a run, not to its `prepare`.
 */
export class WrittenAgent implements Agent {
  readonly #identity: AgentIdentity;
  readonly #broken: PromiseName | null;
  readonly #voice: WrittenVoice;
  readonly #results: WrittenResults;
  #now = 0;
  #connected = false;
  #prepared: Prepared | null = null;
  #nonces: { run: string; nonce: string; at: number }[] = [];
  #running: WrittenRun | null = null;
  /** A cancelled run whose iperf3 is still there. */
  #leaving: WrittenRun | null = null;
  /** By run and token, as all that is said of leases. */
  readonly #dead = new Set<string>();
  /** Of an agent that breaks its word: what it began last, and what it declined last. */
  #last: { command: PrepareCommand; token: number } | null = null;
  #declined: StartCommand | null = null;
  #controller: string | null = null;
  #status_due: number | null = null;
  #checks = 0;
  #gone = false;

  constructor(identity: AgentIdentity, broken: PromiseName | null) {
    this.#identity = identity;
    this.#broken = broken;
    this.#voice = new WrittenVoice(identity);
    this.#results = new WrittenResults(this.#voice);
    for (const result of identity.stored) this.#results.keep(result, 0);
  }

  lastWill(): AgentStatus {
    return this.#voice.statusOf(false, this.#results.count);
  }

  handle(input: Input, now_ms: number): Action[] {
    if (this.#gone) return [];
    this.#now = now_ms;
    this.#lookAtTimers();
    if (input.kind === 'connected') this.#onConnected();
    else if (input.kind === 'disconnected') this.#connected = false;
    else if (input.kind === 'message') this.#onMessage(input.topic, input.payload);
    else if (input.kind === 'checked') this.#onChecked(input.key, input.iperf3);
    else if (input.kind === 'exited') this.#onExited(input.key, input.stdout);
    else if (input.kind === 'stop') this.#onStop();
    return [{ kind: 'wake', at_ms: this.#nextWake() }, ...this.#voice.take()];
  }

  #onMessage(topic: 'command' | 'status' | 'controller', payload: unknown) {
    if (topic === 'command') return this.#onCommand(payload);
    const said = payload as Partial<AgentStatus>;
    if (topic === 'status') {
      if (said.online !== true || said.boot !== this.#identity.boot) this.#status_due ??= this.#now + 1000;
    } else if (said.boot !== undefined && said.boot !== this.#controller) {
      if (this.#controller !== null) this.#results.sendAll(this.#now);
      this.#controller = said.boot;
    }
  }

  #onCommand(payload: unknown) {
    const read = readCommand(payload);
    if (read.kind === 'prepare') this.#onPrepare(read.command, read.text);
    else if (read.kind === 'start') this.#onStart(read.start);
    else if (read.kind === 'cancel') this.#onCancel(read.run);
    else if (read.kind === 'accepted') this.#forget(read);
  }

  #onPrepare(command: PrepareCommand, text: string) {
    const { run } = command;
    if (this.#running?.run === run) return this.#sayStarted(this.#running);
    if (this.#results.sendOf(run)) return;
    if (this.#running !== null || this.#leaving !== null) return this.#refuse(run, 'busy: another run');
    const known = this.#prepared;
    if (known?.text === text) {
      known.at = this.#now;
      if (known.ready) this.#offer(known);
      return;
    }
    if (known !== null && known.command.run !== run) this.#refuse(known.command.run, 'superseded: by another run');
    this.#checks += 1;
    this.#prepared = { command, text, at: this.#now, key: this.#checks, ready: false, next_ready: 0 };
    this.#voice.act({ kind: 'check', key: this.#checks, host: command.server.host, wan: false });
  }

  #onChecked(key: number, iperf3: string | null) {
    const prepared = this.#prepared;
    if (prepared === null || prepared.ready || prepared.key !== key) return;
    const { run } = prepared.command;
    if (iperf3 === null) return this.#refuse(run, 'iperf3-missing: not found');
    prepared.ready = true;
    const declined = this.#declined;
    if (this.#broken === 'declined-token-is-dead' && declined?.run === run && this.#running === null) {
      this.#prepared = null;
      this.#declined = null;
      this.#begin(prepared.command, declined.token, declined.nonce);
    } else if (this.#connected) this.#offer(prepared);
  }

  #onStart(start: StartCommand) {
    const { run, token, nonce } = start;
    const current = [this.#running, this.#leaving].find((one) => one?.token === token && one.run === run);
    if (current) {
      if (this.#broken === 'running-token-is-not-declined') return this.#decline(start, 'running: it was begun before');
      return this.#sayStarted(current);
    }
    if (
      this.#broken === 'start-counts-once' &&
      this.#last?.token === token &&
      this.#last.command.run === run &&
      this.#running === null
    )
      return this.#begin(this.#last.command, token, nonce);
    if (this.#results.has(start)) {
      this.#voice.say({ type: 'started', run, token, nonce });
      return this.#results.send(start);
    }
    const prepared = this.#fitting(start);
    if (prepared === null) {
      this.#decline(start, 'not startable');
      return;
    }
    this.#prepared = null;
    this.#nonces = this.#nonces.filter((one) => one.run !== run);
    this.#begin(prepared, token, nonce);
  }

  /** What the start begins; null when there is something against it. */
  #fitting({ run, token, nonce, server, lease_ms }: StartCommand): PrepareCommand | null {
    const command = this.#prepared?.command;
    if (command === undefined || command.run !== run || this.#running !== null || this.#leaving !== null) return null;
    if (this.#dead.has(nameOf({ run, token }))) return null;
    const window_ms = this.#broken === 'start-window' ? Number.POSITIVE_INFINITY : START_WINDOW_MS;
    const lives = this.#nonces.some((one) => one.run === run && one.nonce === nonce && this.#now - one.at <= window_ms);
    if (!lives) return null;
    if (this.#broken === 'start-names-its-server') return command;
    const isHere = server === null || (server.host === command.server.host && server.port === command.server.port);
    return isHere && (lease_ms === null || command.lease_ms <= lease_ms) ? command : null;
  }

  #decline({ run, token, nonce }: StartCommand, reason: string): void {
    this.#dead.add(nameOf({ run, token }));
    this.#declined = { type: 'start', run, token, nonce, server: null, lease_ms: null };
    if (this.#broken === 'every-start-is-answered') return;
    this.#voice.say({ type: 'declined', run, token, nonce, reason });
  }

  #begin(command: PrepareCommand, token: number, nonce: string): void {
    this.#last = { command, token };
    this.#running = new WrittenRun(command, token, nonce, this.#now, this.#identity, this.#broken);
    this.#sayStarted(this.#running);
    this.#proceed(this.#running);
  }

  #proceed(run: WrittenRun): void {
    const spawn = run.next(this.#now);
    if (spawn !== null) this.#voice.act(spawn);
    else this.#finish(run);
  }

  #finish(run: WrittenRun): void {
    this.#running = null;
    const { token, nonce, outputs } = run;
    const result = { run: run.run, token, nonce, tests: outputs };
    if (this.#broken !== 'result-before-finished') this.#voice.act({ kind: 'store_result', result });
    this.#results.keep(result, this.#now);
    this.#results.send(result);
    if (this.#broken === 'result-kept-until-accepted') this.#forget(run);
  }

  #onExited(key: number, stdout: string): void {
    const { running, leaving } = { running: this.#running, leaving: this.#leaving };
    if (leaving?.child?.key === key) {
      this.#leaving = null;
      if (this.#broken !== 'declined-when-gone') this.#sayCancelled(leaving);
    }
    if (running?.child?.key !== key) return;
    running.exited(stdout, this.#now);
    if (running.retry_at === null) this.#proceed(running);
  }

  #onCancel(run: string) {
    if (this.#prepared?.command.run === run) this.#prepared = null;
    for (const result of this.#results.forgetOf(run)) this.#dead.add(nameOf(result));
    const running = this.#running;
    if (running?.run !== run) return;
    this.#dead.add(nameOf(running));
    this.#running = null;
    if (running.child === null) return this.#sayCancelled(running);
    this.#leaving = running;
    this.#voice.act(...running.end(this.#now));
    if (this.#broken === 'declined-when-gone') this.#sayCancelled(running);
  }

  #onStop(): void {
    if (this.#prepared !== null) this.#refuse(this.#prepared.command.run, 'stopping: the agent is being stopped');
    this.#voice.status(false, this.#results.count);
    this.#voice.act({ kind: 'exit' });
    this.#gone = true;
  }

  #onConnected(): void {
    this.#connected = true;
    this.#publishStatus();
    this.#results.sendAll(this.#now);
    if (this.#prepared?.ready) this.#offer(this.#prepared);
  }

  #lookAtTimers(): void {
    const now = this.#now;
    for (const run of [this.#running, this.#leaving]) if (run !== null) this.#voice.act(...run.tend(now));
    const running = this.#running;
    if (running !== null && this.#broken === 'finished-when-gone' && running.isPastItsTests(now)) this.#finish(running);
    else if (running !== null && running.retry_at !== null && now >= running.retry_at) this.#proceed(running);
    const prepared = this.#prepared;
    if (prepared !== null && now >= prepared.at + PREPARE_TTL_MS) this.#prepared = null;
    else if (prepared?.ready && this.#connected && now >= prepared.next_ready) this.#offer(prepared);
    if (!this.#connected) return;
    this.#results.resendDue(now);
    if (this.#status_due !== null && now >= this.#status_due) this.#publishStatus();
  }

  #nextWake(): number | null {
    const moments = [this.#running, this.#leaving].flatMap((run) => run?.moments() ?? []);
    if (this.#running !== null && this.#broken === 'finished-when-gone') moments.push(this.#running.tests_end);
    if (this.#prepared !== null) moments.push(this.#prepared.at + PREPARE_TTL_MS);
    if (this.#prepared?.ready && this.#connected) moments.push(this.#prepared.next_ready);
    if (this.#connected) moments.push(...this.#results.moments());
    if (this.#connected && this.#status_due !== null) moments.push(this.#status_due);
    return moments.length === 0 || this.#gone ? null : Math.min(...moments);
  }

  #offer(prepared: Prepared): void {
    const { run } = prepared.command;
    const old = this.#nonces.findLast((one) => one.run === run);
    const nonce = this.#broken === 'fresh-nonces' && old !== undefined ? old.nonce : this.#identity.random();
    this.#nonces = [...this.#nonces.slice(-20), { run, nonce, at: this.#now }];
    prepared.next_ready = this.#now + READY_INTERVAL_MS;
    this.#voice.say({ type: 'ready', run, nonce });
  }

  #refuse(run: string, reason: string): void {
    if (this.#prepared?.command.run === run) this.#prepared = null;
    this.#voice.say({ type: 'declined', run, token: null, nonce: null, reason });
  }

  #forget(lease: { run: string; token: number }): void {
    if (this.#results.forget(lease)) this.#dead.add(nameOf(lease));
  }

  #sayStarted({ run, token, nonce }: WrittenRun): void {
    this.#voice.say({ type: 'started', run, token, nonce });
  }

  #sayCancelled({ run, token, nonce }: WrittenRun): void {
    this.#voice.say({ type: 'declined', run, token, nonce, reason: 'cancelled' });
  }

  #publishStatus(): void {
    this.#status_due = null;
    this.#voice.status(true, this.#results.count);
  }
}
