import type { Clock } from '../../broker/clock.ts';
import { Random } from '../simulation/random.ts';
import { type NightSize, nightFleet } from './night-fleet.ts';
import { NightSimulation } from './night-simulation.ts';

/** What one simulated night cost, and how it went. */
export interface NightLap extends NightSize {
  /** From the agents' connecting to the end of the last run; the fleet is there before. */
  wall_s: number;
  /** Of the process, the garbage collector's threads too: what other programs do is not in it. */
  cpu_s: number;
  grants: number;
  us_per_grant: number;
  cpu_us_per_grant: number;
  /** In planNight, all nights together. */
  plan_s: number;
  /** A look at the schedule when nothing is due. */
  idle_look_ms: number;
  /** In Slots, from a sample. */
  slots_s: number;
  us_per_step: number;
  steps: number;
  events: number;
  /** Of the whole process, as the kernel saw it. */
  peak_rss_mib: number;
  makespan_h: number;
  slot_use: number;
  use_while_waited: number;
  longest_idle_ms: number;
  ends: Record<string, number>;
}

/** CPU time of this process so far, the garbage collector's threads too. */
export const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** Simulates a night of this size and says what it took. Throws when a law is broken. */
export const nightLap = (size: NightSize, seed: number, clock: Pick<Clock, 'now'>): NightLap => {
  const random = new Random(seed);
  const night = new NightSimulation({ fleet: nightFleet(size, random), seed, clock });
  const began = { wall_ms: clock.now(), cpu_s: cpuSeconds() };
  night.run();
  const wall_ms = clock.now() - began.wall_ms;
  const cpu_s = cpuSeconds() - began.cpu_s;
  const { grants, steps, events, plan_ms, idle_look_ms, slots_ms, use, laws } = night;
  return {
    ...size,
    wall_s: wall_ms / 1000,
    cpu_s,
    grants,
    us_per_grant: (1000 * wall_ms) / grants,
    cpu_us_per_grant: (1e6 * cpu_s) / grants,
    plan_s: plan_ms / 1000,
    idle_look_ms,
    slots_s: slots_ms / 1000,
    us_per_step: (1000 * slots_ms) / steps,
    steps,
    events,
    peak_rss_mib: process.resourceUsage().maxRSS / 1024,
    makespan_h: use.makespan_ms / 3_600_000,
    slot_use: use.slot_use,
    use_while_waited: use.use_while_waited,
    longest_idle_ms: use.longest_idle_ms,
    ends: Object.fromEntries(laws.ends),
  };
};
