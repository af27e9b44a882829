import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import Table from 'cli-table3';
import { EmbeddedBroker } from '../../broker/broker.ts';
import { sleep, systemClock } from '../../broker/clock.ts';
import { Children } from '../../controller/demo/children.ts';
import type { BenchOptions, Findings } from './bench.ts';
import { type Memory, memoryOf } from './memory.ts';
import { median } from './statistics.ts';
import { unlessStopped } from './unless-stopped.ts';

const STARTS = 3;

/** A process has done all it does after connecting, and is idle. */
const SETTLE_MS = 2_000;

interface Start extends Memory {
  /** From the spawn of the process to the broker's acceptance of its CONNECT. */
  connected_ms: number;
}

/** A program and how to start it as a device of this name. */
interface Candidate {
  file: string;
  args: (name: string, url: string) => string[];
}

/** Starts programs and sees them come online. */
class Starter {
  readonly #children = new Children(systemClock);
  readonly #arrivals = new Map<string, () => void>();
  readonly #broker = new EmbeddedBroker({
    ...{ host: '127.0.0.1', port: 0, tls: null },
    authenticate: (device) => {
      this.#arrivals.get(device)?.();
      return { kind: 'device', device };
    },
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  });
  #url = '';

  async open(): Promise<void> {
    this.#url = `mqtt://127.0.0.1:${(await this.#broker.start()).port}`;
  }

  async close(): Promise<void> {
    await this.#children.stop();
    await this.#broker.stop();
  }

  /** Starts one, looks at it, ends it. */
  async start({ file, args }: Candidate, name: string): Promise<Start> {
    const command = [file, ...args(name, this.#url)];
    const began = systemClock.now();
    let pid = 0;
    const connected_ms = await new Promise<number>((arrived, gone) => {
      this.#arrivals.set(name, () => arrived(systemClock.now() - began));
      let said = '';
      const child = this.#children.spawn(process.execPath, command, {
        env: process.env,
        onOutput: (text) => {
          said += text;
        },
        onExit: (reason) => gone(new Error(`${file}: ${reason}\n${said}`)),
      });
      pid = child.pid ?? 0;
    });
    await sleep(systemClock, SETTLE_MS);
    if (this.#broker.connected !== 1) throw new Error(`${name} connected, but did not stay`);
    const memory = memoryOf(pid);
    await this.#children.stop();
    return { connected_ms, ...memory };
  }
}

export const sizesOf = (file: string) => {
  const bundle = readFileSync(file);
  return { bundle_bytes: bundle.length, gzipped_bytes: gzipSync(bundle, { level: 9 }).length };
};

/** The agent with an empty configuration, and a state folder below `folder`. */
const agentIn = (folder: string): Candidate => ({
  file: resolve('dist/agent.js'),
  args: (device, broker) => {
    const state = join(folder, device);
    mkdirSync(state);
    const file = join(state, 'agent.json');
    writeFileSync(file, JSON.stringify({ device, broker, password: 'of no importance', state }), { mode: 0o600 });
    return ['--config', file];
  },
});

/** Built as the agent is. The builder finds the repository by its own place, so it is not bundled into this program. */
const bareClientIn = async (folder: string): Promise<Candidate> => {
  const build: typeof import('../../packaging/build/build.mjs') = await import(
    pathToFileURL(resolve('packaging/build/build.mjs')).href
  );
  const file = join(folder, 'bare-client.mjs');
  build.bundleAlone('test/bench/bare-client.ts', file);
  return { file, args: (name, url) => [url, name] };
};

const compare = async (starter: Starter, folder: string, say: (line: string) => void): Promise<Findings> => {
  const agent = agentIn(folder);
  const bare = await bareClientIn(folder);
  await starter.open();
  const seen: { agent: Start[]; bare: Start[] } = { agent: [], bare: [] };
  for (let turn = 1; turn <= STARTS; turn += 1) {
    say(`start ${turn} of ${STARTS} …`);
    seen.bare.push(await starter.start(bare, `bare-${turn}`));
    seen.agent.push(await starter.start(agent, `agent-${turn}`));
  }
  return findings(
    { ...sizesOf(agent.file), ...mediansOf(seen.agent) },
    { ...sizesOf(bare.file), ...mediansOf(seen.bare) },
  );
};

const mediansOf = (starts: Start[]): Start => ({
  pss_mib: median(starts.map(({ pss_mib }) => pss_mib)),
  rss_mib: median(starts.map(({ rss_mib }) => rss_mib)),
  connected_ms: median(starts.map(({ connected_ms }) => connected_ms)),
});

type Figures = Start & ReturnType<typeof sizesOf>;

const ROWS: { key: keyof Figures; name: string; digits: number }[] = [
  { key: 'bundle_bytes', name: 'bundle, bytes', digits: 0 },
  { key: 'gzipped_bytes', name: 'gzipped, bytes', digits: 0 },
  { key: 'pss_mib', name: 'PSS when idle, MiB', digits: 1 },
  { key: 'rss_mib', name: 'RSS when idle, MiB', digits: 1 },
  { key: 'connected_ms', name: 'start to connected, ms', digits: 0 },
];

const findings = (agent: Figures, bare: Figures): Findings => {
  const table = new Table({
    head: [`median of ${STARTS} starts`, 'agent.js', 'bare mqtt client', 'ratio'],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', 'right', 'right'],
  });
  for (const { key, name, digits } of ROWS)
    table.push([name, agent[key].toFixed(digits), bare[key].toFixed(digits), (agent[key] / bare[key]).toFixed(3)]);
  const ratio = Object.fromEntries(ROWS.map(({ key }) => [key, agent[key] / bare[key]]));
  return { figures: { starts: STARTS, agent, bare, ratio }, tables: [table.toString()], targets: [] };
};

/** What the agent for Node.js weighs and how fast it is there, beside the least that Node.js and MQTT.js can do. */
export const compareStarts = async (folder: string, { say, signal }: BenchOptions): Promise<Findings> => {
  const starter = new Starter();
  try {
    return await unlessStopped(signal).race(compare(starter, folder, say));
  } finally {
    await starter.close();
  }
};
