import { MqttLink } from '../../broker/client.ts';
import { systemClock } from '../../broker/clock.ts';
import { parseInbound } from '../../broker/contract/inbound.ts';
import type { AgentEvent, AgentStatus, Command, RunResult, TestOutput } from '../../broker/contract/messages.ts';
import { commandTopic, eventTopic, resultTopic, statusTopic } from '../../broker/contract/topics.ts';
import { RecordedLog } from './recorded-log.ts';
import { until } from './until.ts';

type Told = Extract<ReturnType<typeof parseInbound>, { kind: 'command' }>['payload'];
type Of<T extends Command['type']> = Extract<Told, { type: T }>;

/** An agent whose every word a test decides: the far side of the protocol, over a real connection. */
export class ScriptedAgent {
  readonly device: string;
  readonly commands: Told[] = [];
  readonly log = new RecordedLog();
  boot = 'boot-1';
  /** Called when `begin` has its start: what follows from a grant rests until the clock moves. */
  onStart = () => {};
  readonly #link: MqttLink;
  #seen = 0;

  constructor(url: string, device: string, password: string) {
    this.device = device;
    this.#link = new MqttLink({
      url,
      clientId: device,
      username: device,
      password,
      tls: null,
      will: { topic: statusTopic(device), payload: this.#status(false), retain: true },
      clock: systemClock,
      random: () => 0,
      log: this.log,
      reconnect: { min_ms: 20, max_ms: 100 },
    });
    this.#link.subscribe([commandTopic(device)]);
    this.#link.onMessage((topic, payload) => {
      const message = parseInbound(topic, payload);
      if (message.kind === 'command') this.commands.push(message.payload);
    });
  }

  /** Connects and says that it is online. */
  async start(): Promise<void> {
    this.#link.start();
    await until(`${this.device} is connected`, () => this.#link.connected);
    await this.online();
  }

  stop(): Promise<void> {
    return this.#link.stop();
  }

  online(online = true): Promise<void> {
    return this.#link.publish(statusTopic(this.device), this.#status(online), { retain: true });
  }

  /** Waits for the next command of this type that was not taken yet; those before it are passed over. */
  async next<T extends Command['type']>(type: T): Promise<Of<T>> {
    return until(`${this.device} was told ${type}`, () => {
      for (let index = this.#seen; index < this.commands.length; index += 1) {
        const command = this.commands[index];
        if (command?.type !== type) continue;
        this.#seen = index + 1;
        return command as Of<T>;
      }
      return null;
    });
  }

  send(event: AgentEvent): Promise<void> {
    return this.#link.publish(eventTopic(this.device), event);
  }

  ready(run: string, nonce: string): Promise<void> {
    return this.send({ type: 'ready', run, boot: this.boot, nonce });
  }

  started({ run, token, nonce }: Of<'start'>): Promise<void> {
    return this.send({ type: 'started', run, boot: this.boot, token, nonce });
  }

  finished({ run, token }: Of<'start'>): Promise<void> {
    return this.send({ type: 'finished', run, boot: this.boot, token });
  }

  declined({ run, token, nonce }: Of<'start'>, reason: string): Promise<void> {
    return this.send({ type: 'declined', run, boot: this.boot, token, nonce, reason });
  }

  result({ run, token }: { run: string; token: number }, tests: TestOutput[]): Promise<void> {
    const payload: RunResult = { run, token, boot: this.boot, tests };
    return this.#link.publish(resultTopic(this.device, run), payload);
  }

  /** Answers the next prepare and start as a good agent does, up to `started`. */
  async begin(nonce: string): Promise<Of<'start'>> {
    const { run } = await this.next('prepare');
    await this.ready(run, nonce);
    const start = await this.next('start');
    this.onStart();
    await this.started(start);
    return start;
  }

  #status(online: boolean): AgentStatus {
    return { online, boot: this.boot, agent: '0.0.0', host: 'node', iperf3: '3.12', capabilities: [], pending: 0 };
  }
}
