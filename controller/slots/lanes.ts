import { LazyHeap } from './lazy-heap.ts';
import { leaseMs, slotLengthMs } from './plan-length.ts';
import type { Lane, Line, ServerList } from './state/lane.ts';
import type { Run } from './state/run.ts';
import type { Server } from './state/server.ts';
import type { SlotState } from './state/slot-state.ts';
import { touch, wake } from './touched.ts';
import { uplinkGroup, uplinkHasRoom } from './uplink-groups.ts';

/*
 * Runs that wait are kept where they are found without looking through the others. Runs with the same list of servers, of one
 * organization, asked for in the same way and of the same length share a lane: each of them may take the same seats. In a lane, those
 * behind one uplink share a line, as all of them may go or none; the lane has the first of each line that may. Each server knows the
 * lists that name it, and so the lanes.
 *
 *   server → lists → lanes → lines that may go, the first first → runs, the first first
 */

/** The list of servers with these names: one for all runs that have it. */
export const serverList = (state: SlotState, names: readonly string[]): ServerList => {
  const known = state.list_of.get(names);
  if (known !== undefined) return known;
  const key = names.join(' ');
  const list: ServerList = state.lists.get(key) ?? {
    names,
    servers: new Map(),
    lanes: new Map(),
    open: new Set(),
    decks: new Map(),
    suppressed: false,
  };
  if (!state.lists.has(key)) {
    state.lists.set(key, list);
    fillList(state, list);
  }
  state.list_of.set(names, list);
  return list;
};

/** Looks up the servers of a list among those that are there now, and makes it known to them. */
export const fillList = (state: SlotState, list: ServerList): void => {
  const servers = list.names.flatMap((name) => state.servers.get(name) ?? []).filter(({ gone }) => !gone);
  list.servers = new Map(servers.map((server, place) => [server, place]));
  list.suppressed = servers.length > 0 && servers.every(({ suppressed }) => suppressed);
  list.open.clear();
  for (const server of list.servers.keys()) {
    server.lists.push(list);
    if (server.open) list.open.add(server);
  }
};

const laneOf = (state: SlotState, { request }: Run): Lane => {
  const { servers, on_demand, organization, tests } = request;
  const list = serverList(state, servers);
  const slot_ms = slotLengthMs(leaseMs(tests));
  const key = `${on_demand ? 'demand' : 'schedule'} ${slot_ms} ${organization}`;
  let lane = list.lanes.get(key);
  if (lane === undefined) {
    const empty = { lines: new Map(), heads: new LazyHeap<Line>(), waiting: 0, woken: false };
    lane = { key, list, on_demand, organization, slot_ms, ...empty };
    list.lanes.set(key, lane);
  }
  return lane;
};

/** The run waits; whether it may take a seat is another matter. */
export const enterLine = (state: SlotState, run: Run): void => {
  const lane = laneOf(state, run);
  const uplink = uplinkGroup(state, run.request.uplink_group);
  let line = lane.lines.get(uplink);
  if (line === undefined) {
    line = { lane, uplink, runs: new LazyHeap(), head: null, waiting: 0 };
    lane.lines.set(uplink, line);
    uplink?.lines.add(line);
  }
  run.line = line;
  line.waiting += 1;
  lane.waiting += 1;
};

/** The run waits no more. */
export const leaveLine = (state: SlotState, run: Run): void => {
  const { line } = run;
  if (line === null) return;
  loseTurn(state, run);
  run.line = null;
  line.waiting -= 1;
  line.lane.waiting -= 1;
  if (line.waiting === 0) {
    line.lane.lines.delete(line.uplink);
    line.uplink?.lines.delete(line);
  }
  if (line.lane.waiting === 0) line.lane.list.lanes.delete(line.lane.key);
};

/** Room for this many submissions within one priority: so many come in 500,000 years of a million a night. */
const SEQUENCES = 2 ** 45;

/** Where the run stands in its organization's line: exact as a number, as a priority is 100 at most. */
const placeOf = ({ request, sequence }: Run): number => sequence - request.priority * SEQUENCES;

/** The run may take a seat from now on. Of its organization the higher priority goes first, then who came first. */
export const takeTurn = (state: SlotState, run: Run): void => {
  const { line } = run;
  if (line === null || run.turn !== null) return;
  run.turn = line.runs.push(placeOf(run), run);
  syncLine(state, line);
  if (line.uplink === null || uplinkHasRoom(line.uplink)) return;
  for (const server of line.uplink.servers) touch(state, server);
};

export const loseTurn = (state: SlotState, run: Run): void => {
  const { line, turn } = run;
  if (line === null || turn === null) return;
  run.turn = null;
  line.runs.drop(turn);
  syncLine(state, line);
};

/** The lane knows the first run of each line that may go, and wakes when it has somebody again. */
export const syncLine = (state: SlotState, line: Line): void => {
  const { lane, uplink } = line;
  const first = uplinkHasRoom(uplink) ? line.runs.peek() : undefined;
  if (line.head !== null && first !== undefined && line.head.key === first.key) return;
  // While it had somebody already, no seat that its runs may take was open.
  if (lane.heads.size === 0) wake(state, lane);
  if (line.head !== null) lane.heads.drop(line.head);
  line.head = first === undefined ? null : lane.heads.push(first.key, line);
};

/** The run of the lane whose turn it is. */
export const firstOf = (lane: Lane): Run | undefined => lane.heads.peek()?.item.runs.peek()?.item;

/** How many runs wait that may use the server. */
export const waitingFor = ({ lists }: Server): number => {
  let waiting = 0;
  for (const list of lists) for (const lane of list.lanes.values()) waiting += lane.waiting;
  return waiting;
};
