import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { AgentField } from './agent-field.ts';
import { type AgentHost, agentHosts } from './agent-hosts.ts';
import { type Idle, type IdleClient, watchIdle } from './agent-idle.ts';
import { type AtWork, watchAtWork } from './agent-runs.ts';
import { compareStarts, sizesOf } from './agent-starts.ts';
import type { Bench, BenchOptions } from './bench.ts';
import { unlessStopped } from './unless-stopped.ts';

/** The package of the agent for ucode is for devices with 8 MB of flash. */
const MOST_IPK_KIB = 30;

/** What is known of a host: only its size where it cannot be run. */
type Seen = ReturnType<typeof sizesOf> & { ipk_bytes: number | null } & Partial<Idle & AtWork>;

const ROWS: { key: keyof Seen; name: string; digits: number }[] = [
  { key: 'bundle_bytes', name: 'bundle, bytes', digits: 0 },
  { key: 'gzipped_bytes', name: 'gzipped, bytes', digits: 0 },
  { key: 'ipk_bytes', name: 'package (.ipk), bytes', digits: 0 },
  { key: 'processes', name: 'processes, idle', digits: 0 },
  { key: 'idle_pss_mib', name: 'PSS idle, MiB', digits: 1 },
  { key: 'running_pss_mib', name: 'PSS during a test, MiB', digits: 1 },
  { key: 'cpu_ms_a_minute', name: 'CPU idle, ms a minute', digits: 1 },
  { key: 'bytes_a_day', name: 'MQTT idle, bytes a day', digits: 0 },
  { key: 'start_ms', name: 'start to iperf3 connects, ms', digits: 1 },
  { key: 'bare_ms', name: 'iperf3 started by hand, ms', digits: 1 },
];

const tableOf = (hosts: AgentHost[], seen: Seen[], bare: IdleClient): string => {
  const table = new Table({
    head: ['each with all its processes', ...hosts.map(({ name }) => name), 'mosquitto_sub'],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', ...hosts.map(() => 'right' as const), 'right'],
  });
  const beside: Partial<Record<keyof Seen, number>> = bare;
  const shown = (value: number | null | undefined, digits: number) => value?.toFixed(digits) ?? '-';
  for (const { key, name, digits } of ROWS) {
    const baseline = beside[key];
    const times = (value: number | null | undefined) =>
      value == null || baseline === undefined || key === 'processes' ? '' : ` (${(value / baseline).toFixed(1)} ×)`;
    const cells = seen.map((one) => `${shown(one[key], digits)}${times(one[key])}`);
    table.push([name, ...cells, shown(baseline, digits)]);
  }
  return table.toString();
};

const watchHosts = async (field: AgentField, hosts: AgentHost[], say: (line: string) => void) => {
  const here = hosts.filter(({ command }) => command !== null);
  say('idle for a minute …');
  const idle = await watchIdle(field, here);
  const seen: Seen[] = [];
  for (const host of hosts) {
    const sizes = { ...sizesOf(host.bundle), ipk_bytes: host.ipk_bytes };
    if (host.command === null) {
      say(`no ${host.name} on this machine: only the size of its agent is known`);
      seen.push(sizes);
      continue;
    }
    say(`runs on ${host.name} …`);
    seen.push({ ...sizes, ...idle.agents[here.indexOf(host)], ...(await watchAtWork(field, host)) });
  }
  return { seen, bare: idle.bare };
};

const run = async ({ say, signal }: BenchOptions) => {
  const folder = mkdtempSync(join(tmpdir(), 'perfleet-bench-'));
  const field = await AgentField.open(folder);
  try {
    const starts = await compareStarts(folder, { say, signal });
    const hosts = agentHosts(process.env);
    const { seen, bare } = await unlessStopped(signal).race(watchHosts(field, hosts, say));
    const ipk = hosts.flatMap(({ name, ipk_bytes }) => (name === 'ucode' && ipk_bytes !== null ? [ipk_bytes] : []));
    return {
      figures: {
        hosts: Object.fromEntries(hosts.map(({ name }, index) => [name, seen[index]])),
        mosquitto_sub: bare,
        starts: starts.figures,
      },
      tables: [tableOf(hosts, seen, bare), ...starts.tables],
      targets: ipk.map((bytes) => ({
        what: 'the package for ucode, in KiB,',
        seen: bytes / 1024,
        at_most: MOST_IPK_KIB,
      })),
    };
  } finally {
    await field.close();
    rmSync(folder, { recursive: true });
  }
};

/** What does an agent cost a device, on Node.js and on ucode? */
export const agentBench: Bench = {
  about: 'what an agent costs its device: size, memory, idle CPU and traffic, how fast iperf3 begins (UCODE=…)',
  run,
};
