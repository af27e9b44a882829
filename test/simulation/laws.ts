import { QUARANTINE_S } from '../../broker/contract/numbers.ts';
import type { LeaseRow, SlotEffect } from '../../controller/slots/events.ts';
import { longestTestMs } from '../../controller/slots/plan-length.ts';
import type { Fleet } from './fleet.ts';

/** An iperf3 client that really runs on a device, whatever the controller believes. */
export interface Process {
  device: string;
  server: string;
  run: string;
  token: number;
  longest_ms: number;
}

/** What must hold at every instant of a night. A law that is broken throws, with the moment and the names. */
export class Laws {
  readonly #fleet: Fleet;
  readonly #now: () => number;
  readonly #running = new Set<Process>();
  /** Until when a server holds the session of a client that vanished without a goodbye. */
  readonly #haunted = new Map<string, number>();
  /** Until when a server rests by the controller's own effects. */
  readonly #resting = new Map<string, number>();
  readonly #startOf = new Map<number, string>();
  readonly #serverOf = new Map<number, string>();
  readonly #topTokenOf = new Map<string, number>();
  readonly #open = new Set<string>();
  readonly #overdue = new Set<string>();
  readonly ends = new Map<string, number>();

  constructor(fleet: Fleet, now: () => number) {
    this.#fleet = fleet;
    this.#now = now;
  }

  broken(law: string): never {
    throw new Error(`${law} (at ${Math.round(this.#now())} ms)`);
  }

  processStarts(process: Process): void {
    const { device, server } = process;
    const granted = this.#serverOf.get(process.token);
    if (granted !== server) this.broken(`token ${process.token} holds ${granted}, its client runs on ${server}`);
    const others = [...this.#running];
    const rival = others.find((other) => other.server === server);
    if (rival) this.broken(`two clients on ${server}: ${rival.device}/${rival.token} and ${device}/${process.token}`);
    if ((this.#haunted.get(server) ?? 0) > this.#now())
      this.broken(`${device} starts on ${server}: a dead session is there`);
    if (others.some((other) => other.device === device)) this.broken(`two runs on ${device}`);
    this.#running.add(process);
    this.#checkGroup(
      'host group',
      this.#fleet.host_group_of,
      this.#fleet.host_groups,
      ({ server: name }) => name,
      server,
    );
    this.#checkGroup(
      'uplink group',
      this.#fleet.uplink_of,
      this.#fleet.uplink_groups,
      ({ device: name }) => name,
      device,
    );
  }

  /** The process is gone. One that vanished with its device leaves its session on the server, as long as iperf3 may keep it. */
  processEnds(process: Process, vanished: boolean): void {
    this.#running.delete(process);
    if (vanished) this.#haunted.set(process.server, this.#now() + process.longest_ms + 1000 * QUARANTINE_S);
  }

  /** What a probe finds; a server whose client lives must not be probed. */
  probe(server: string): 'free' | 'busy' {
    if ([...this.#running].some((other) => other.server === server)) this.broken(`${server} is probed during a run`);
    return (this.#haunted.get(server) ?? 0) > this.#now() ? 'busy' : 'free';
  }

  probeSaidFree(server: string): void {
    this.#resting.delete(server);
  }

  submitted(run: string): void {
    this.#open.add(run);
    this.#overdue.delete(run);
  }

  isOpen(run: string): boolean {
    return this.#open.has(run);
  }

  /** Whether nobody waits for the run any more; an overdue one may still get its result. */
  isOver(run: string): boolean {
    return !this.#open.has(run) && !this.#overdue.has(run);
  }

  /** A restart asks every lease again: the answer may end a rest early, and an overdue run may get another end. */
  controllerStarts(rows: readonly LeaseRow[]): void {
    this.#resting.clear();
    for (const { run } of rows) if (this.#overdue.delete(run)) this.#open.add(run);
  }

  /** What the controller decided, before any of it is done. */
  decided(effects: readonly SlotEffect[], rows: ReadonlyMap<number, LeaseRow>): void {
    for (const effect of effects) {
      if (effect.type !== 'ended' || (effect.ending.how !== 'overdue' && effect.ending.how !== 'interrupted')) continue;
      const row = [...rows.values()].filter(({ run }) => run === effect.run).at(-1);
      if (row === undefined) this.broken(`${effect.run} ended ${effect.ending.how} without a lease on disk`);
      this.#resting.set(row.server, this.#now() + longestTestMs(row.tests) + 1000 * QUARANTINE_S);
    }
  }

  started(effect: Extract<SlotEffect, { type: 'start' }>, row: LeaseRow | undefined): void {
    if (row === undefined) this.broken(`token ${effect.token} is started without a lease on disk`);
    const text = JSON.stringify({ ...effect, on: row.server });
    const before = this.#startOf.get(effect.token);
    if (before === text) return;
    if (before !== undefined) this.broken(`token ${effect.token} has two starts: ${before} and ${text}`);
    this.#startOf.set(effect.token, text);
    this.#serverOf.set(effect.token, row.server);
    if (effect.token <= (this.#topTokenOf.get(row.server) ?? 0))
      this.broken(`token ${effect.token} is not new on ${row.server}`);
    this.#topTokenOf.set(row.server, effect.token);
    if ((this.#resting.get(row.server) ?? 0) > this.#now()) this.broken(`${row.server} gets a start while it rests`);
  }

  /** A run left the slots. */
  ended(run: string, how: string): void {
    if (!this.#open.delete(run)) this.broken(`${run} ends a second time: ${how}`);
    this.ends.set(how, (this.ends.get(how) ?? 0) + 1);
    if (how === 'overdue') this.#overdue.add(run);
  }

  allOver(): void {
    if (this.#open.size > 0) this.broken(`runs without an end: ${[...this.#open].join(', ')}`);
    if (this.#running.size > 0) this.broken('a client runs for ever');
  }

  #checkGroup(
    kind: string,
    groupOf: ReadonlyMap<string, string>,
    groups: ReadonlyMap<string, { capacity: number }>,
    name: (process: Process) => string,
    member: string,
  ): void {
    const group = groupOf.get(member);
    if (group === undefined) return;
    const used = [...this.#running].filter((process) => groupOf.get(name(process)) === group);
    if (used.length > (groups.get(group)?.capacity ?? 1)) {
      this.broken(`${kind} ${group} is over its capacity: ${used.map(({ token }) => token).join(', ')}`);
    }
  }
}
