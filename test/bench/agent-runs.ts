import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { sleep, systemClock } from '../../broker/clock.ts';
import type { TestPlan } from '../../broker/contract/messages.ts';
import { leaseMs } from '../../controller/slots/plan-length.ts';
import { Iperf3Server } from '../helpers/iperf3-server.ts';
import { testPlan } from '../helpers/test-plan.ts';
import type { AgentField } from './agent-field.ts';
import type { AgentHost } from './agent-hosts.ts';
import { median } from './statistics.ts';

const TIMES = 20;

/** What is done after connecting has been done by then. */
const SETTLE_MS = 3_000;

/** A device on deck waits for its turn at least as long as this, with its guard ready. */
const ON_DECK_MS = 200;

/** iperf3 is in the middle of its test. */
const AMIDST_MS = 2_000;

/** Slow enough that it is the agent that counts, not the traffic. */
const SLOW: TestPlan = testPlan({ duration_s: 4, bitrate: 10_000_000 });

/** Of an agent at work. */
export interface AtWork {
  idle_pss_mib: number;
  running_pss_mib: number;
  /** From the sending of `start` to the connection of iperf3, and the same of an iperf3 that this process starts itself. Medians. */
  start_ms: number;
  bare_ms: number;
}

/** Takes connections as iperf3's server does, but hangs up at once, so that nobody has to wait for a test. */
class Door {
  readonly #server = net.createServer((socket) => {
    socket.on('error', () => {});
    this.#opened(systemClock.now());
    socket.destroy();
  });
  #opened: (at_ms: number) => void = () => {};

  async open(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** Milliseconds from now until somebody connects. */
  async untilKnock(): Promise<number> {
    const began = systemClock.now();
    return new Promise((resolve) => {
      this.#opened = (at_ms) => resolve(at_ms - began);
    });
  }

  close(): void {
    this.#server.close();
  }
}

/** Takes a run of one test on deck, and returns how to start it. */
const onDeck = async (field: AgentField, device: string, run: string, token: number, plan: TestPlan, port: number) => {
  const server = { host: '127.0.0.1', port };
  field.tell(device, { type: 'prepare', run, server, tests: [plan], lease_ms: leaseMs([plan]) });
  const { payload } = await field.hears('event', ({ payload }) => payload.run === run && payload.type === 'ready');
  if (payload.type !== 'ready') throw new Error(`${run} is not ready`);
  const { nonce } = payload;
  return () => field.tell(device, { type: 'start', run, token, nonce, server, lease_ms: leaseMs([plan]) });
};

const accept = async (field: AgentField, device: string, run: string, token: number) => {
  const { payload } = await field.hears('result', ({ payload }) => payload.run === run);
  field.tell(device, { type: 'accepted', run, token });
  return payload;
};

const bareStart = async (door: Door, port: number): Promise<number> => {
  const knock = door.untilKnock();
  const child = spawn('iperf3', ['-c', '127.0.0.1', '-p', `${port}`, '-t', '4', '--json'], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const took_ms = await knock;
  await ended;
  return took_ms;
};

const measureStarts = async (field: AgentField, device: string) => {
  const door = new Door();
  const port = await door.open();
  const seen = { agent: [] as number[], bare: [] as number[] };
  for (let time = 1; time <= TIMES; time += 1) {
    const run = `r-${time}`;
    const start = await onDeck(field, device, run, time, SLOW, port);
    await sleep(systemClock, ON_DECK_MS);
    const knock = door.untilKnock();
    start();
    seen.agent.push(await knock);
    await accept(field, device, run, time);
    seen.bare.push(await bareStart(door, port));
  }
  door.close();
  return { start_ms: median(seen.agent), bare_ms: median(seen.bare) };
};

/** One agent, alone: what it takes while it waits, while it measures, and how fast it begins. */
export const watchAtWork = async (field: AgentField, host: AgentHost): Promise<AtWork> => {
  const device = `at-work-${host.name}`;
  const { tree } = await field.agent(host, device);
  await sleep(systemClock, SETTLE_MS);
  const idle_pss_mib = tree.pssMib();
  const server = await Iperf3Server.start(process.env);
  try {
    const start = await onDeck(field, device, 'r-0', TIMES + 1, SLOW, server.port);
    start();
    await field.hears('event', ({ payload }) => payload.type === 'started');
    await sleep(systemClock, AMIDST_MS);
    const running_pss_mib = tree.pssMib();
    const { tests } = await accept(field, device, 'r-0', TIMES + 1);
    if (tests[0]?.exit_code !== 0) throw new Error(`the test on ${host.name} failed: ${JSON.stringify(tests[0])}`);
    return { idle_pss_mib, running_pss_mib, ...(await measureStarts(field, device)) };
  } finally {
    await server.end('SIGKILL');
    await field.clear();
  }
};
