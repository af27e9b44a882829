import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentStatus } from '../../broker/contract/messages.ts';
import { Iperf3Server } from '../helpers/iperf3-server.ts';
import { Mosquitto } from '../helpers/mosquitto.ts';
import { until } from '../helpers/until.ts';
import { AgentProcess } from './agent-process.ts';
import { must } from './case.ts';
import { Controller } from './controller.ts';
import { FakeIperf3 } from './fake-iperf3.ts';
import { WatchedServer } from './servers.ts';
import { Wire } from './wire.ts';

/** An agent that has not come online by then never will. */
const START_S = 120;

/** What one case has around it: a broker, a wire to it, a controller, servers, and the agent. Nothing of it is shared with other cases. */
export class World {
  readonly device: string;
  readonly broker: Mosquitto;
  readonly wire: Wire;
  readonly controller: Controller;
  /** The agent's. */
  readonly state: string;
  readonly #command: string;
  readonly #folder: string;
  readonly #bin: string;
  readonly #agents: AgentProcess[] = [];
  readonly #stops: (() => Promise<void>)[] = [];
  #path = `${process.env['PATH']}`;

  private constructor(command: string, device: string, broker: Mosquitto, wire: Wire, controller: Controller) {
    this.#command = command;
    this.device = device;
    this.broker = broker;
    this.wire = wire;
    this.controller = controller;
    this.#folder = mkdtempSync(join(tmpdir(), 'perfleet-conformance-'));
    this.state = join(this.#folder, 'state');
    this.#bin = join(this.#folder, 'bin');
    mkdirSync(this.#bin);
  }

  /** `command` starts the agent: see AgentProcess. */
  static async open(command: string, device: string): Promise<World> {
    const broker = await Mosquitto.start();
    const wire = await Wire.start(broker.port);
    return new World(command, device, broker, wire, await Controller.connect(broker.url, device));
  }

  /** The agent that was started last. */
  get agent(): AgentProcess {
    const agent = this.#agents.at(-1);
    must(agent !== undefined, 'this case has started no agent');
    return agent;
  }

  /** Starts the agent, with `config` beside what it needs, and does not wait for it. */
  launch(config: object = {}): AgentProcess {
    const file = join(this.#folder, `agent-${this.#agents.length}.json`);
    writeFileSync(file, JSON.stringify({ device: this.device, broker: this.wire.url, state: this.state, ...config }), {
      mode: 0o600,
    });
    const agent = new AgentProcess(this.#command, file, { ...process.env, PATH: `${this.#bin}:${this.#path}` });
    this.#agents.push(agent);
    return agent;
  }

  /** Starts the agent and waits until it says that it is online, with a boot that nobody has heard of. */
  async start(config: object = {}): Promise<AgentStatus> {
    const { controller } = this;
    const known = controller.statuses().map(({ boot }) => boot);
    const from = controller.position;
    const agent = this.launch(config);
    return until(
      'the agent says that it is online',
      () => {
        must(agent.running, `the agent ended instead of going online:\n${agent.log}`);
        return controller.statuses(from).find(({ online, boot }) => online && !known.includes(boot));
      },
      START_S,
    );
  }

  /** Cuts the wire and waits for the agent to be online again, and a moment for what it sends then. The position before all that. */
  async reconnect(): Promise<number> {
    const from = this.controller.position;
    this.wire.cut();
    await this.controller.status({ online: true }, { from });
    await this.controller.barrier();
    return from;
  }

  /** From now on iperf3 is this shell script. */
  fakeIperf3(body: string): FakeIperf3 {
    return new FakeIperf3(this.#bin, body);
  }

  /** From now on iperf3 is what nobody but KILL ends: one process, which still has that name, and waits for what never comes. */
  stubbornIperf3(): FakeIperf3 {
    return new FakeIperf3(this.#bin, 'mkfifo $here/fifo; read -r _ <>$here/fifo', "trap '' TERM INT HUP");
  }

  /** No iperf3 for agents that are started from now on: programs are found in a folder of links without it. */
  hideIperf3(links: (folder: string, path: string) => void): void {
    const folder = join(this.#folder, 'programs');
    mkdirSync(folder);
    links(folder, this.#path);
    this.#path = folder;
  }

  /** A server that never answers, by default; see WatchedServer. */
  async server(options: Parameters<typeof WatchedServer.start>[0] = {}): Promise<WatchedServer> {
    const server = await WatchedServer.start(options);
    this.#stops.push(() => server.stop());
    return server;
  }

  /** A real one. */
  async iperf3Server(): Promise<Iperf3Server> {
    const server = await Iperf3Server.start(process.env);
    this.#stops.push(() => server.end('SIGKILL'));
    return server;
  }

  /** The end of what the agent that was started last has printed; empty when there is none. */
  lastLog(most: number): string {
    return this.#agents.at(-1)?.log.trim().slice(-most) ?? '';
  }

  /** Ends all of it. */
  async close(): Promise<void> {
    for (const agent of this.#agents) await agent.killAll();
    for (const stop of this.#stops) await stop();
    await this.controller.stop();
    await this.wire.stop();
    await this.broker.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
