import { sleep, systemClock } from '../../broker/clock.ts';
import type { AgentField, Connected } from './agent-field.ts';
import type { AgentHost } from './agent-hosts.ts';

/** What is done after connecting has been done by then. */
const SETTLE_MS = 5_000;

const WATCH_MS = 60_000;

/** How often to look whether all are still there. */
const LOOK_MS = 2_000;

const DAY_MS = 86_400_000;

/** Of something that waits for commands and gets none. */
export interface Idle {
  cpu_ms_a_minute: number;
  /** Of MQTT, both ways; TCP's and IP's headers come besides. */
  bytes_a_day: number;
  processes: number;
}

const watch = async ({ tree, wire }: Connected): Promise<Idle> => {
  const before = { cpu_ms: tree.cpuMs(), bytes: wire.bytes, ms: systemClock.now() };
  while (systemClock.now() - before.ms < WATCH_MS) {
    await sleep(systemClock, LOOK_MS);
    tree.check();
  }
  const ms = systemClock.now() - before.ms;
  return {
    cpu_ms_a_minute: ((tree.cpuMs() - before.cpu_ms) * 60_000) / ms,
    bytes_a_day: ((wire.bytes - before.bytes) * DAY_MS) / ms,
    processes: tree.processes,
  };
};

/** The least that can wait for commands: a bare mosquitto_sub. */
export type IdleClient = Idle & { idle_pss_mib: number };

/** The agents and a bare client, all at the same time, on a machine that does nothing else. */
export const watchIdle = async (
  field: AgentField,
  hosts: AgentHost[],
): Promise<{ agents: Idle[]; bare: IdleClient }> => {
  const bare = await field.bare('bare');
  // Alone: the agent on ucode uses the same program, and what several use is shared out.
  const idle_pss_mib = bare.tree.pssMib();
  const agents: Connected[] = [];
  for (const host of hosts) agents.push(await field.agent(host, `idle-${host.name}`));
  await sleep(systemClock, SETTLE_MS);
  const [ofBare, ...ofAgents] = await Promise.all([bare, ...agents].map(watch));
  await field.clear();
  if (ofBare === undefined) throw new Error('nothing was watched');
  return { agents: ofAgents, bare: { ...ofBare, idle_pss_mib } };
};
