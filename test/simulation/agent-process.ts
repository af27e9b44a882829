import type { Agent } from '../../agent/core/agent.ts';
import type { Action } from '../../agent/core/io.ts';
import type { Downward, Upward } from './broker.ts';
import type { Device } from './device.ts';

/** The broker notices a connection that died after one and a half keepalives, and then takes its time. */
const LAST_WILL_MS = 120_000;

/** A timer of a busy router is this much late at most. */
const LATE_MS = 50;

/** What the host must find out is known after this at most. */
export const CHECK_MS = 1000;

/** One start of the agent: it does what its core decides, on its device, as long as it lives. */
export class AgentProcess {
  readonly boot: string;
  readonly #device: Device;
  readonly #core: Agent;
  #alive = true;
  #connection: ((message: Downward) => void) | null = null;
  #cancelWake = () => {};
  /** The run whose start was accepted last: what is spawned is of it. */
  #accepted: { run: string; token: number } | null = null;

  constructor(device: Device, boot: string, core: Agent) {
    this.#device = device;
    this.boot = boot;
    this.#core = core;
  }

  get isAlive(): boolean {
    return this.#alive;
  }

  connect(): void {
    if (!this.#alive || this.#connection !== null) return;
    const connection = (message: Downward) => this.#receive(message);
    this.#connection = connection;
    this.#device.world.broker.attachDevice(this.#device.name, connection);
    this.#take({ kind: 'connected' });
  }

  /** The connection ends without a goodbye: the broker publishes the last will when it notices, be the agent back or not. */
  disconnect(): void {
    const connection = this.#connection;
    if (connection === null) return;
    this.#connection = null;
    const { world, name } = this.#device;
    const { broker, timeline, random } = world;
    broker.detachDevice(name, connection);
    const payload = this.#core.lastWill();
    const noticed = random.chance(0.5) ? random.between(0, 1000) : random.between(0, LAST_WILL_MS);
    timeline.after(noticed, () => broker.hearDevice({ kind: 'status', device: name, payload }));
    if (this.#alive) this.#take({ kind: 'disconnected' });
  }

  /** Killed: nothing of it remains but the guards. */
  kill(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#cancelWake();
    this.disconnect();
  }

  /** Asked to stop, in order. */
  stop(): void {
    this.#take({ kind: 'stop' });
  }

  /** One of its clients is gone. */
  exited(key: number, stdout: string): void {
    const exit = { kind: 'exited', key, exit_code: stdout === '' ? null : 0, stdout, stderr: '' } as const;
    this.#device.after(this.#device.world.random.between(0, 20), () => this.#take(exit));
  }

  #receive(message: Downward): void {
    if (!this.#alive || this.#connection === null) return;
    const { topic, payload } = message;
    this.#device.tell(() => `<- ${JSON.stringify(payload)}`);
    // C1: a cancel takes what is kept, too, be it meant for an earlier `prepare` and late.
    if (message.topic === 'command' && message.payload.type === 'cancel')
      this.#device.world.laws.forgotten(message.payload.run);
    if (message.topic === 'command' && message.payload.type === 'accepted')
      this.#device.world.laws.accepted(message.payload.run, message.payload.token);
    const actions = this.#take({ kind: 'message', topic, payload });
    if (message.topic === 'command' && message.payload.type === 'start') {
      const { token, nonce } = message.payload;
      const answered = actions.some(
        (action) =>
          action.kind === 'publish' &&
          action.what === 'event' &&
          (action.payload.type === 'started' || action.payload.type === 'declined') &&
          action.payload.token === token &&
          action.payload.nonce === nonce,
      );
      if (!answered) this.#device.world.laws.broken('every start is answered', `${this.#device.name}, token ${token}`);
    }
  }

  #take(input: Parameters<Agent['handle']>[0]): Action[] {
    if (!this.#alive) return [];
    const actions = this.#core.handle(input, this.#device.now());
    // Which of the two comes first, `started` or its iperf3, is the agent's own affair.
    for (const action of actions) this.#noteAccepted(action);
    for (const action of actions) if (this.#alive) this.#do(action);
    return actions;
  }

  #noteAccepted(action: Action): void {
    if (action.kind !== 'publish' || action.what !== 'event' || action.payload.type !== 'started') return;
    const { run, token } = action.payload;
    if (!this.#device.hasStored(run, token)) this.#accepted = { run, token };
  }

  #do(action: Action): void {
    const device = this.#device;
    switch (action.kind) {
      case 'wake':
        this.#cancelWake();
        if (action.at_ms !== null) this.#wakeAt(action.at_ms);
        break;
      case 'publish':
        this.#publish(action);
        break;
      case 'check': {
        const found = { iperf3: device.hasIperf3() ? '3.12' : null, resolved: true, error: null, wan: null };
        const { key } = action;
        device.after(device.world.random.between(0, CHECK_MS), () => this.#take({ kind: 'checked', key, ...found }));
        break;
      }
      case 'spawn':
        if (this.#accepted !== null) device.spawn(this, action, this.#accepted);
        break;
      case 'kill':
        device.signal(this, action.key, action.signal);
        break;
      case 'store_result':
        device.stored.set(action.result.run, action.result);
        break;
      case 'forget_result':
        device.stored.delete(action.run);
        break;
      case 'exit':
        this.kill();
        break;
      case 'arm':
      case 'disarm':
      case 'log':
        // A guard that waits has started nothing.
        break;
    }
  }

  #wakeAt(at_ms: number): void {
    const device = this.#device;
    const late_ms = device.world.random.between(0, LATE_MS);
    this.#cancelWake = device.after(at_ms - device.now() + late_ms, () => this.#take({ kind: 'wake' }));
  }

  #publish(action: Extract<Action, { kind: 'publish' }>): void {
    const device = this.#device;
    const { name, world } = device;
    let message: Upward;
    if (action.what === 'event') {
      const { payload } = action;
      if (payload.type === 'finished') world.laws.finished(name, payload.run, payload.token);
      message = { kind: 'event', device: name, payload };
    } else if (action.what === 'status') message = { kind: 'status', device: name, payload: action.payload };
    else message = { kind: 'result', device: name, payload: action.payload };
    if (this.#connection === null) return;
    device.tell(() => `-> ${action.what} ${JSON.stringify(message.payload)}`);
    world.up.carry(() => world.broker.hearDevice(message));
  }
}
