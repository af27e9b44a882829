import { startOf } from './fairness.ts';
import { firstOf, serverList } from './lanes.ts';
import { expectedWait, fitsBefore } from './seats.ts';
import type { Lane, ServerList } from './state/lane.ts';
import type { Run } from './state/run.ts';
import type { Server } from './state/server.ts';
import type { SlotState } from './state/slot-state.ts';
import { mayFollow, uplinkGroup } from './uplink-groups.ts';

/** Whether `a` goes before `b`, of one organization and asked for in the same way. */
const isFirst = (a: Run, b: Run): boolean =>
  a.request.priority === b.request.priority ? a.sequence < b.sequence : a.request.priority > b.request.priority;

/** Whether `a` takes the seat before `b`: what a person asked for first, then the organization that is behind, then the first in line. */
export const goesBefore = ({ accounts }: Server, a: Run, b: Run): boolean => {
  if (a.request.on_demand !== b.request.on_demand) return a.request.on_demand;
  const [ours, theirs] = [a.request.organization, b.request.organization];
  if (ours === theirs) return isFirst(a, b);
  const lead = startOf(accounts, ours) - startOf(accounts, theirs);
  return lead === 0 ? a.sequence < b.sequence : lead < 0;
};

/** Who takes the open seat of this server; null when nobody who may use it has a turn. */
export const whoIsNext = (state: SlotState, server: Server, now: number): Run | null => {
  let next: Run | null = null;
  const offer = (run: Run | undefined, { slot_ms }: Lane): void => {
    if (run === undefined || (next !== null && !goesBefore(server, run, next))) return;
    if (fitsBefore(server, slot_ms, now)) next = run;
  };
  for (const list of server.lists) for (const lane of list.lanes.values()) offer(firstOf(lane), lane);
  const holder = server.lease?.run.request.uplink_group ?? null;
  const full = uplinkGroup(state, holder);
  if (full === null || !mayFollow(full, server)) return next;
  for (const { lane, runs } of full.lines) if (lane.list.servers.has(server)) offer(runs.peek()?.item, lane);
  return next;
};

/** Whether runs of the list would rather be served by `a` than by `b`: where the wait is shorter, then as the list says. */
const isBetter = ({ servers }: ServerList, a: Server, b: Server, now: number): boolean => {
  const wait = expectedWait(a, now) - expectedWait(b, now);
  return wait === 0 ? Number(servers.get(a)) < Number(servers.get(b)) : wait < 0;
};

/**
 * The seat that the run takes: `offered`, where it is next, or a better one for which it is next too. Only a seat that this step has
 * touched can be one: nobody who has a turn may use any other.
 */
export const bestSeat = (state: SlotState, run: Run, offered: Server, now: number): Server => {
  let best = offered;
  const list = serverList(state, run.request.servers);
  for (const server of state.touched) {
    if (!server.open || !list.servers.has(server)) continue;
    if (isBetter(list, server, best, now) && whoIsNext(state, server, now) === run) best = server;
  }
  return best;
};

/** The open seat that runs of the lane like best. */
export const seatFor = (lane: Lane, now: number): Server | null => {
  if (firstOf(lane) === undefined) return null;
  let best: Server | null = null;
  for (const server of lane.list.open) {
    if (!fitsBefore(server, lane.slot_ms, now)) continue;
    if (best === null || isBetter(lane.list, server, best, now)) best = server;
  }
  return best;
};
