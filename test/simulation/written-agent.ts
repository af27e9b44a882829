import type { Agent } from '../../agent/core/agent.ts';
import { readCommand } from '../../agent/core/command.ts';
import type { Action, AgentIdentity, Input, StoredResult } from '../../agent/core/io.ts';
import type { AgentEvent, AgentStatus, PrepareCommand, StartCommand } from '../../broker/contract/messages.ts';
import {
  PREPARE_TTL_MS,
  READY_INTERVAL_MS,
  RESEND_FIRST_MS,
  RESEND_MAX_MS,
  START_WINDOW_MS,
} from '../../broker/contract/numbers.ts';
import { eventTopic, resultTopic, statusTopic } from '../../broker/contract/topics.ts';
import type { PromiseName } from './promises.ts';
import { WrittenRun } from './written-run.ts';

interface Prepared {
  command: PrepareCommand;
  text: string;
  at: number;
  /** Of its check. */
  key: number;
  ready: boolean;
  next_ready: number;
}

interface Kept {
  result: StoredResult;
  resend_at: number;
  delay: number;
}

/** An event without who says it. */
type Said =
  | { type: 'ready'; run: string; nonce: string }
  | { type: 'declined'; run: string; token: number | null; nonce: string | null; reason: string }
  | { type: 'started'; run: string; token: number; nonce: string }
  | { type: 'finished'; run: string; token: number };

/** A lease: stores count their tokens each for itself. */
const nameOf = ({ run, token }: { run: string; token: number }): string => `${run}/${token}`;

/**
 * An agent written from the text of docs/protocol.md, by somebody who has not read agent/core. It keeps every promise but the one that is
 * broken. Where the text leaves a choice it takes the one that is harder for the controller: nonces belong to a run, not to its `prepare`.
 */
export class WrittenAgent implements Agent {
  readonly #identity: AgentIdentity;
  readonly #broken: PromiseName | null;
  #now = 0;
  #out: Action[] = [];
  #connected = false;
  #prepared: Prepared | null = null;
  #nonces: { run: string; nonce: string; at: number }[] = [];
  #running: WrittenRun | null = null;
  /** A cancelled run whose iperf3 is still there. */
  #leaving: WrittenRun | null = null;
  /** By run and token, as all that is said of leases. */
  readonly #kept = new Map<string, Kept>();
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
    for (const result of identity.stored) this.#keep(result);
  }

  lastWill(): AgentStatus {
    return this.#statusOf(false);
  }

  handle(input: Input, now_ms: number): Action[] {
    if (this.#gone) return [];
    this.#now = now_ms;
    this.#out = [];
    this.#lookAtTimers();
    if (input.kind === 'connected') this.#onConnected();
    else if (input.kind === 'disconnected') this.#connected = false;
    else if (input.kind === 'message') this.#onMessage(input.topic, input.payload);
    else if (input.kind === 'checked') this.#onChecked(input.key, input.iperf3);
    else if (input.kind === 'exited') this.#onExited(input.key, input.stdout);
    else if (input.kind === 'stop') this.#onStop();
    return [{ kind: 'wake', at_ms: this.#nextWake() }, ...this.#out];
  }

  #onMessage(topic: 'command' | 'status' | 'controller', payload: unknown) {
    if (topic === 'command') return this.#onCommand(payload);
    const said = payload as Partial<AgentStatus>;
    if (topic === 'status') {
      if (said.online !== true || said.boot !== this.#identity.boot) this.#status_due ??= this.#now + 1000;
    } else if (said.boot !== undefined && said.boot !== this.#controller) {
      if (this.#controller !== null) for (const kept of this.#kept.values()) this.#send(kept);
      this.#controller = said.boot;
    }
  }

  #onCommand(payload: unknown) {
    const read = readCommand(payload);
    if (read.kind === 'prepare') this.#onPrepare(read.command, read.text);
    else if (read.kind === 'start') this.#onStart(read.start);
    else if (read.kind === 'cancel') this.#onCancel(read.run);
    else if (read.kind === 'accepted') this.#forget(nameOf(read));
  }

  #onPrepare(command: PrepareCommand, text: string) {
    const { run } = command;
    if (this.#running?.run === run) return this.#sayStarted(this.#running);
    for (const kept of this.#kept.values()) if (kept.result.run === run) return this.#send(kept);
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
    this.#act({ kind: 'check', key: this.#checks, host: command.server.host, wan: false });
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
    const kept = this.#kept.get(nameOf(start));
    if (kept !== undefined) {
      this.#say({ type: 'started', run, token, nonce });
      return this.#send(kept);
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
    this.#say({ type: 'declined', run, token, nonce, reason });
  }

  #begin(command: PrepareCommand, token: number, nonce: string): void {
    this.#last = { command, token };
    this.#running = new WrittenRun(command, token, nonce, this.#now, this.#identity, this.#broken);
    this.#sayStarted(this.#running);
    this.#proceed(this.#running);
  }

  #proceed(run: WrittenRun): void {
    const spawn = run.next(this.#now);
    if (spawn !== null) this.#act(spawn);
    else this.#finish(run);
  }

  #finish(run: WrittenRun): void {
    this.#running = null;
    const { token, nonce, outputs } = run;
    const result = { run: run.run, token, nonce, tests: outputs };
    if (this.#broken !== 'result-before-finished') this.#act({ kind: 'store_result', result });
    this.#send(this.#keep(result));
    if (this.#broken === 'result-kept-until-accepted') this.#forget(nameOf(run));
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
    for (const [name, kept] of this.#kept) if (kept.result.run === run) this.#forget(name);
    const running = this.#running;
    if (running?.run !== run) return;
    this.#dead.add(nameOf(running));
    this.#running = null;
    if (running.child === null) return this.#sayCancelled(running);
    this.#leaving = running;
    this.#out.push(...running.end(this.#now));
    if (this.#broken === 'declined-when-gone') this.#sayCancelled(running);
  }

  #onStop(): void {
    if (this.#prepared !== null) this.#refuse(this.#prepared.command.run, 'stopping: the agent is being stopped');
    this.#publish({
      kind: 'publish',
      what: 'status',
      topic: statusTopic(this.#identity.device),
      payload: this.lastWill(),
    });
    this.#act({ kind: 'exit' });
    this.#gone = true;
  }

  #onConnected(): void {
    this.#connected = true;
    this.#publishStatus();
    for (const kept of this.#kept.values()) {
      this.#send(kept);
      kept.delay = RESEND_FIRST_MS;
      kept.resend_at = this.#now + kept.delay;
    }
    if (this.#prepared?.ready) this.#offer(this.#prepared);
  }

  #lookAtTimers(): void {
    const now = this.#now;
    for (const run of [this.#running, this.#leaving]) if (run !== null) this.#out.push(...run.tend(now));
    const running = this.#running;
    if (running !== null && this.#broken === 'finished-when-gone' && running.isPastItsTests(now)) this.#finish(running);
    else if (running !== null && running.retry_at !== null && now >= running.retry_at) this.#proceed(running);
    const prepared = this.#prepared;
    if (prepared !== null && now >= prepared.at + PREPARE_TTL_MS) this.#prepared = null;
    else if (prepared?.ready && this.#connected && now >= prepared.next_ready) this.#offer(prepared);
    if (!this.#connected) return;
    for (const kept of this.#kept.values()) {
      if (now < kept.resend_at) continue;
      this.#send(kept);
      kept.delay = Math.min(2 * kept.delay, RESEND_MAX_MS);
      kept.resend_at = now + kept.delay;
    }
    if (this.#status_due !== null && now >= this.#status_due) this.#publishStatus();
  }

  #nextWake(): number | null {
    const moments = [this.#running, this.#leaving].flatMap((run) => run?.moments() ?? []);
    if (this.#running !== null && this.#broken === 'finished-when-gone') moments.push(this.#running.tests_end);
    if (this.#prepared !== null) moments.push(this.#prepared.at + PREPARE_TTL_MS);
    if (this.#prepared?.ready && this.#connected) moments.push(this.#prepared.next_ready);
    if (this.#connected) for (const kept of this.#kept.values()) moments.push(kept.resend_at);
    if (this.#connected && this.#status_due !== null) moments.push(this.#status_due);
    return moments.length === 0 || this.#gone ? null : Math.min(...moments);
  }

  #offer(prepared: Prepared): void {
    const { run } = prepared.command;
    const old = this.#nonces.findLast((one) => one.run === run);
    const nonce = this.#broken === 'fresh-nonces' && old !== undefined ? old.nonce : this.#identity.random();
    this.#nonces = [...this.#nonces.slice(-20), { run, nonce, at: this.#now }];
    prepared.next_ready = this.#now + READY_INTERVAL_MS;
    this.#say({ type: 'ready', run, nonce });
  }

  #refuse(run: string, reason: string): void {
    if (this.#prepared?.command.run === run) this.#prepared = null;
    this.#say({ type: 'declined', run, token: null, nonce: null, reason });
  }

  #keep(result: StoredResult): Kept {
    const kept = { result, resend_at: this.#now + RESEND_FIRST_MS, delay: RESEND_FIRST_MS };
    this.#kept.set(nameOf(result), kept);
    return kept;
  }

  #forget(name: string): void {
    const kept = this.#kept.get(name);
    if (kept === undefined) return;
    this.#dead.add(name);
    this.#kept.delete(name);
    this.#act({ kind: 'forget_result', run: kept.result.run });
  }

  #send({ result }: Kept): void {
    const { device, boot } = this.#identity;
    const { run, token, tests } = result;
    this.#say({ type: 'finished', run, token });
    this.#publish({
      kind: 'publish',
      what: 'result',
      topic: resultTopic(device, run),
      payload: { run, token, boot, tests },
    });
  }

  #sayStarted({ run, token, nonce }: WrittenRun): void {
    this.#say({ type: 'started', run, token, nonce });
  }

  #sayCancelled({ run, token, nonce }: WrittenRun): void {
    this.#say({ type: 'declined', run, token, nonce, reason: 'cancelled' });
  }

  #say(said: Said): void {
    const { device, boot } = this.#identity;
    const payload: AgentEvent = { ...said, boot };
    this.#publish({ kind: 'publish', what: 'event', topic: eventTopic(device), payload });
  }

  #publishStatus(): void {
    this.#status_due = null;
    const topic = statusTopic(this.#identity.device);
    this.#publish({ kind: 'publish', what: 'status', topic, payload: this.#statusOf(true) });
  }

  #statusOf(online: boolean): AgentStatus {
    const { boot, agent, host, iperf3 } = this.#identity;
    return { online, boot, agent, host, iperf3, capabilities: ['tcp', 'udp', 'bidir'], pending: this.#kept.size };
  }

  #publish(action: Extract<Action, { kind: 'publish' }>): void {
    this.#act(action);
  }

  #act(action: Action): void {
    this.#out.push(action);
  }
}
