import { OVERDUE_MS } from '../../broker/contract/numbers.ts';
import type { SlotEvent } from '../../controller/slots/events.ts';
import type { ControllerProcess } from './controller-process.ts';
import { lookForNights } from './planner.ts';

/** The wall clock is looked at this often at least: it may jump. */
export const LOOK_MS = 60_000;

/** What a controller does by the wall clock: nights, what is overdue for a day, suppressions and maintenance that begin and end. */
export class WallWatch {
  readonly #process: ControllerProcess;
  #cancel = () => {};
  #looked_at = 0;
  #next_night: number | null = null;

  constructor(process: ControllerProcess) {
    this.#process = process;
  }

  stop(): void {
    this.#cancel();
  }

  look(): void {
    this.#cancel();
    const { machine, slots } = this.#process;
    const now_ms = machine.wall();
    for (const { run, state, awaits_result, granted_at_ms } of machine.disk.runs.rows.values())
      if (state !== 'final' && awaits_result && granted_at_ms !== null && granted_at_ms <= now_ms - OVERDUE_MS)
        machine.settlement.end(run, 'lost', 'no-result', now_ms);
    const next = machine.plans_nights ? this.#plan(now_ms) : null;
    this.#looked_at = now_ms;
    this.#next_night = next;
    this.tellBans();
    // A person who wants to know whether the servers answer.
    for (const { server } of slots.view()) this.#process.handle({ type: 'check', server });
    // What rule L11 forbids.
    if (machine.world.broken === 'leased-is-not-probed')
      for (const { server } of slots.view()) this.#process.probe(server);
    const wait = next === null ? LOOK_MS : Math.min(next - now_ms, LOOK_MS);
    this.#cancel = this.#process.after(wait, () => this.#process.survive(() => this.look()));
  }

  /** Tells the slots which suppressions and which maintenance there is now. */
  tellBans(): void {
    for (const event of this.bans()) this.#process.handle(event);
  }

  bans(): SlotEvent[] {
    const { machine } = this.#process;
    const { timeline, laws } = machine.world;
    const now_ms = machine.wall();
    const active = machine.disk.suppressions.filter(({ until_wall }) => until_wall > now_ms).map(({ scope }) => scope);
    laws.leasesOf(machine.name).suppressed(active);
    const windows = machine.maintenance.map(({ server, from, to }): SlotEvent => {
      const under_way = timeline.now >= from && timeline.now < to;
      const ahead_ms = timeline.now < from ? machine.rate * (from - timeline.now) : Number.POSITIVE_INFINITY;
      return { type: 'maintenance', server, under_way, next_at: this.#process.now() + ahead_ms };
    });
    return [{ type: 'suppressions', active }, ...windows];
  }

  /** A look between two nights finds nothing (test/controller/schedule), and is slow: few of them are taken. */
  #plan(now_ms: number): number | null {
    const { machine } = this.#process;
    const { fleet, laws, broken, random } = machine.world;
    const next = this.#next_night;
    if (next !== null && now_ms < next && now_ms >= this.#looked_at && !random.chance(0.1)) return next;
    return lookForNights(
      {
        fleet,
        broken,
        disk: machine.disk,
        settlement: machine.settlement,
        laws: laws.recordsOf(machine.name),
        newRunId: () => machine.newRunId(),
        mayCrash: () => this.#process.mayCrash(),
        later: (work) => this.#process.after(0, () => this.#process.survive(work)),
        submit: (run) => this.#process.submit(run),
      },
      now_ms,
    );
  }
}
