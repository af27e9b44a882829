import { connectAsync, type MqttClient } from 'mqtt';
import { sleep, systemClock } from '../../broker/clock.ts';
import { type Dropped, type Inbound, parseInbound } from '../../broker/contract/inbound.ts';
import type { AgentEvent, AgentStatus, RunResult } from '../../broker/contract/messages.ts';
import { PREPARE_REPEAT_MS, START_REPEAT_MS } from '../../broker/contract/numbers.ts';
import { commandTopic, controllerTopic, statusTopic } from '../../broker/contract/topics.ts';
import { until } from '../helpers/until.ts';
import { must, TooSlow } from './case.ts';
import type { Prepare, Start } from './plans.ts';

/** A message of the agent, as it came. */
export interface Heard {
  at_ms: number;
  topic: string;
  bytes: Buffer;
  retained: boolean;
  message: Inbound | Dropped;
}

export type EventOf<T extends AgentEvent['type']> = Extract<AgentEvent, { type: T }>;

/** Where to begin in what was heard (0: at the begin), and how long to wait. */
interface Where {
  from?: number;
  within_s?: number;
}

/** Long enough for a busy machine, and shorter than RESEND_FIRST: what an agent sends again by itself is no answer. */
const PATIENCE_S = 40;

/** From a `ready` to the answer to its `start`; beyond this it may be the machine, not the agent, that is late (START_WINDOW). */
const SLOW_MS = 1000;

const isLike = (value: object, like: object): boolean =>
  Object.entries(like).every(([key, wanted]) => (value as Record<string, unknown>)[key] === wanted);

/** What the suite says to the agent, and hears of it: a controller without a will of its own. */
export class Controller {
  readonly device: string;
  readonly heard: Heard[] = [];
  readonly #client: MqttClient;
  #barriers = 0;

  private constructor(device: string, client: MqttClient) {
    this.device = device;
    this.#client = client;
    client.on('error', () => {});
    client.on('message', (topic, bytes, { retain }) => {
      const message = parseInbound(topic, bytes);
      this.heard.push({ at_ms: systemClock.now(), topic, bytes, retained: retain, message });
    });
  }

  static async connect(url: string, device: string): Promise<Controller> {
    const client = await connectAsync(url, { clientId: 'controller', reconnectPeriod: 100 });
    const controller = new Controller(device, client);
    await client.subscribeAsync([`perfleet/1/device/${device}/#`], { qos: 1 });
    await controller.becomes('controller-1');
    return controller;
  }

  /** How much was heard so far: what comes later begins here. */
  get position(): number {
    return this.heard.length;
  }

  async stop(): Promise<void> {
    await this.#client.endAsync(true);
  }

  /** Publishes a command. Anything may be one. */
  async say(command: object): Promise<void> {
    await this.sayRaw(JSON.stringify(command));
  }

  async sayRaw(payload: string | Buffer): Promise<void> {
    await this.#client.publishAsync(commandTopic(this.device), payload, { qos: 1 });
  }

  /** Publishes, retained, what the agent may take for its own status. */
  async sayStatus(payload: string): Promise<void> {
    await this.#client.publishAsync(statusTopic(this.device), payload, { qos: 1, retain: true });
  }

  /** From now on the controller has this boot. */
  async becomes(boot: string): Promise<void> {
    await this.sayAsController(JSON.stringify({ online: true, boot, version: '0.1.0', in_charge: true }));
  }

  async sayAsController(payload: string): Promise<void> {
    await this.#client.publishAsync(controllerTopic(), payload, { qos: 1, retain: true });
  }

  async cancel(run: string): Promise<void> {
    await this.say({ type: 'cancel', run, reason: 'cancelled by a person' });
  }

  async accept(run: string, token: number): Promise<void> {
    await this.say({ type: 'accepted', run, token });
  }

  /** The events of this type that look like this, in order. */
  events<T extends AgentEvent['type']>(
    type: T,
    like: Partial<EventOf<T>>,
    from = 0,
  ): (EventOf<T> & { at_ms: number })[] {
    return this.heard.slice(from).flatMap(({ at_ms, message }) => {
      if (message.kind !== 'event' || message.payload.type !== type || !isLike(message.payload, like)) return [];
      return [{ ...(message.payload as EventOf<T>), at_ms }];
    });
  }

  results(run: string, from = 0): (RunResult & { at_ms: number })[] {
    return this.heard
      .slice(from)
      .flatMap(({ at_ms, message }) =>
        message.kind === 'result' && message.payload.run === run ? [{ ...message.payload, at_ms }] : [],
      );
  }

  statuses(from = 0): (AgentStatus & { retained: boolean; at_ms: number })[] {
    return this.heard
      .slice(from)
      .flatMap(({ at_ms, message, retained }) =>
        message.kind === 'status' ? [{ ...message.payload, retained, at_ms }] : [],
      );
  }

  /** Waits for an event. */
  async event<T extends AgentEvent['type']>(
    type: T,
    like: Partial<EventOf<T>>,
    { from = 0, within_s = PATIENCE_S }: Where = {},
  ): Promise<EventOf<T> & { at_ms: number }> {
    return until(`the agent says ${type} ${JSON.stringify(like)}`, () => this.events(type, like, from)[0], within_s);
  }

  async result(run: string, { from = 0, within_s = PATIENCE_S }: Where = {}): Promise<RunResult & { at_ms: number }> {
    return until(`the agent sends the result of ${run}`, () => this.results(run, from)[0], within_s);
  }

  /** Waits for a status. */
  async status(like: Partial<AgentStatus>, { from = 0, within_s = PATIENCE_S }: Where = {}): Promise<AgentStatus> {
    const find = () => this.statuses(from).find((status) => isLike(status, like));
    return until(`the agent's status has ${JSON.stringify(like)}`, find, within_s);
  }

  /** Waits for the answer to a `start`: `started` or `declined` with its token and nonce. */
  async answer({ run, token, nonce }: Start, { from = 0, within_s = PATIENCE_S }: Where = {}) {
    return until(
      `the agent answers the start of ${run} with token ${token}`,
      () =>
        this.events('started', { run, token, nonce }, from)[0] ??
        this.events('declined', { run, token, nonce }, from)[0],
      within_s,
    );
  }

  /** Sends a `start`, as often as a controller does (L4), until it is answered: an answer may be lost with its connection. */
  async ask(start: Start): Promise<EventOf<'started'> | EventOf<'declined'>> {
    const from = this.position;
    return this.#repeating(START_REPEAT_MS, start, () => this.answer(start, { from }));
  }

  /** Resolves when all that was said before has been read: an agent answers every `start`, also one that means nothing. */
  async barrier(): Promise<void> {
    this.#barriers += 1;
    const start = { type: 'start', run: 'no-run', token: 1_000_000 + this.#barriers, nonce: 'no-nonce' } as const;
    await this.ask({ ...start, server: null, lease_ms: null });
  }

  /** Rejects with `why` if `happens` gets true within these milliseconds: for what must not happen. */
  async never(why: string, happens: () => unknown, ms = 1000): Promise<void> {
    const end = systemClock.now() + ms;
    do {
      must(!happens(), why);
      await sleep(systemClock, 20);
    } while (systemClock.now() < end);
  }

  /** Prepares a run and waits for its first `ready` from now. */
  async prepare(command: Prepare): Promise<EventOf<'ready'> & { at_ms: number }> {
    const from = this.position;
    const { run } = command;
    const answered = async () => {
      const [no] = this.events('declined', { run, token: null }, from);
      must(no === undefined, `the agent declines a good prepare: ${no?.reason}`);
      return this.events('ready', { run }, from)[0];
    };
    await this.#repeating(PREPARE_REPEAT_MS, command, () =>
      until(`the agent is ready for ${run}`, answered, PATIENCE_S),
    );
    return this.event('ready', { run }, { from });
  }

  /** Prepares a run and starts it; resolves with its `start`, when the agent has said `started`. */
  async begin(command: Prepare, token: number, more: Partial<Start> = {}): Promise<Start> {
    const { run } = command;
    const { nonce, at_ms } = await this.prepare(command);
    const target = { server: { host: command.server.host, port: command.server.port }, lease_ms: command.lease_ms };
    const start: Start = { type: 'start', run, token, nonce, ...target, ...more };
    const answer = await this.ask(start);
    if (answer.type === 'declined' && systemClock.now() - at_ms > SLOW_MS) throw new TooSlow(answer.reason);
    must(answer.type === 'started', `the agent declines a good start: ${'reason' in answer && answer.reason}`);
    return start;
  }

  /** The whole of a run until its result is there; it is not accepted. */
  async measure(command: Prepare, token: number): Promise<RunResult> {
    const from = this.position;
    await this.begin(command, token);
    await this.event('finished', { run: command.run, token }, { from });
    return this.result(command.run, { from });
  }

  /** Says a command again and again until what is waited for has come. */
  async #repeating<T>(every_ms: number, command: object, wait: () => Promise<T>): Promise<T> {
    let stop = () => {};
    const say = (): void => {
      void this.say(command).catch(() => {});
      stop = systemClock.after(every_ms, say);
    };
    say();
    try {
      return await wait();
    } finally {
      stop();
    }
  }
}
