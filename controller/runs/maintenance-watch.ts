import type { Clock } from '../../broker/clock.ts';
import type { Log } from '../../broker/log.ts';
import type { ServerSettings, Settings } from '../config/settings.ts';
import { maintenanceAt } from '../schedule/maintenance.ts';
import type { SlotEvent } from '../slots/events.ts';
import { WallWatch } from './wall-watch.ts';

type MaintenanceEvent = Extract<SlotEvent, { type: 'maintenance' }>;

type Windows = ServerSettings['maintenance'];

/** What was worked out for some windows; good for every moment from `since_ms` to before `next_ms`. */
type Known = ReturnType<typeof maintenanceAt> & { windows: Windows; since_ms: number };

export interface MaintenanceWatchOptions {
  settings: () => Settings;
  /** Takes an event for the slots. */
  handle: (event: MaintenanceEvent) => void;
  clock: Clock;
  log: Log;
}

/** What both say of the moments to come; they are worked out anew each time, from two clocks that drift apart a little. */
const sayTheSame = (one: MaintenanceEvent, other: MaintenanceEvent): boolean =>
  one.under_way === other.under_way && (one.next_at === other.next_at || Math.abs(one.next_at - other.next_at) < 1000);

const noneOf = (server: string): MaintenanceEvent => ({
  type: 'maintenance',
  server,
  under_way: false,
  next_at: Number.POSITIVE_INFINITY,
});

/** Tells the slots which servers are in planned maintenance, and when the next one begins: wall clock in, monotonic time out. */
export class MaintenanceWatch {
  readonly #options: MaintenanceWatchOptions;
  readonly #watch: WallWatch;
  /** What the slots were told last, of each server that has any. */
  readonly #told = new Map<string, MaintenanceEvent>();

  readonly #known = new Map<string, Known>();

  constructor(options: MaintenanceWatchOptions) {
    this.#options = options;
    this.#watch = new WallWatch(options.clock, (now_ms) => this.#look(now_ms));
  }

  /** Also after a change of the settings. */
  look(): void {
    this.#watch.look();
  }

  stop(): void {
    this.#watch.stop();
  }

  #look(now_ms: number): number | null {
    const { settings, clock } = this.#options;
    const shift = clock.now() - now_ms;
    const { servers } = settings();
    let next: number | null = null;
    for (const { server, maintenance } of servers.values()) {
      const { under_way, next_ms } = this.#maintenance(server, maintenance, now_ms);
      if (next_ms !== null) next = Math.min(next_ms, next ?? next_ms);
      const next_at = next_ms === null ? Number.POSITIVE_INFINITY : next_ms + shift;
      this.#tell({ type: 'maintenance', server, under_way, next_at }, next_ms);
    }
    for (const server of this.#known.keys()) {
      if (servers.has(server)) continue;
      this.#known.delete(server);
      this.#tell(noneOf(server), null);
    }
    return next;
  }

  /** Works it out only when it may have changed: with 1000 servers it would take a third of a second, every minute. */
  #maintenance(server: string, windows: Windows, now_ms: number): Known {
    const before = this.#known.get(server);
    if (
      before?.windows === windows &&
      before.since_ms <= now_ms &&
      now_ms < (before.next_ms ?? Number.POSITIVE_INFINITY)
    )
      return before;
    const known = { ...maintenanceAt(windows, now_ms), windows, since_ms: now_ms };
    this.#known.set(server, known);
    return known;
  }

  #tell(event: MaintenanceEvent, next_ms: number | null): void {
    const { handle, log } = this.#options;
    const { server, under_way } = event;
    const before = this.#told.get(server) ?? noneOf(server);
    if (sayTheSame(before, event)) return;
    if (sayTheSame(event, noneOf(server))) this.#told.delete(server);
    else this.#told.set(server, event);
    handle(event);
    const until = next_ms === null ? null : new Date(next_ms).toISOString();
    if (under_way && !before.under_way) log.info({ server, until }, 'maintenance of a server has begun');
    if (!under_way && before.under_way) log.info({ server }, 'maintenance of a server is over');
  }
}
