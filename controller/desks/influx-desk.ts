import type { Backfilled, BackfillOrder, Exported, InfluxView, Requeued } from '../api/influx-views.ts';
import { refusal } from '../api/refusal.ts';
import type { Answer, InfluxService } from '../api/service.ts';
import type { OutboxDrain } from '../influx/drain.ts';
import { lineOf } from '../influx/line.ts';
import { pastPoints } from '../influx/past-points.ts';
import { Point } from '../influx/points.ts';
import type { History, PastRun, Place } from '../store/history.ts';
import type { Outbox } from '../store/outbox.ts';

/** So many runs are read at a time: some 20 ms. Whoever wants more asks again. */
const PAGE_RUNS = 250;

/** So many of the points that were set aside are shown. */
const MAX_SHOWN = 20;

export interface InfluxDeskOptions {
  store: {
    outbox: Outbox;
    history: History;
    atomically<T>(work: () => T): T;
  };
  /** Null without InfluxDB in the settings. */
  drain: OutboxDrain | null;
}

const NONE = refusal('conflict', 'there is no influx section in the configuration');

const asText = ({ changed_at_ms, row }: Place): string => `${changed_at_ms}:${row}`;

const asPlace = (text: string): Place => {
  const [changed_at_ms = 0, row = 0] = text.split(':').map(Number);
  return { changed_at_ms, row };
};

/** A point that was set aside, as a line; one that is no point (of another version) as it stands in the store. */
const shown = (stored: string): string => {
  try {
    return lineOf(Point.parse(JSON.parse(stored)));
  } catch {
    return stored;
  }
};

/** What people can ask about the way to InfluxDB, and order. */
export class InfluxDesk implements InfluxService {
  readonly #options: InfluxDeskOptions;

  constructor(options: InfluxDeskOptions) {
    this.#options = options;
  }

  status(): Answer<InfluxView> {
    const { store, drain } = this.#options;
    if (drain === null) return NONE;
    const { last_success_ms, ...status } = drain.status();
    const rejected_points = store.outbox
      .rejected(MAX_SHOWN)
      .map(({ point, error }) => ({ point: shown(point), error }));
    const last_success = last_success_ms === null ? null : new Date(last_success_ms).toISOString();
    return { ok: true, value: { ...status, last_success, rejected_points } };
  }

  /** What was set aside is tried again. */
  retry(): Answer<Requeued> {
    const { store, drain } = this.#options;
    if (drain === null) return NONE;
    const requeued = store.outbox.retryRejected();
    drain.kick();
    return { ok: true, value: { requeued } };
  }

  /** The points of one page of stored runs go to InfluxDB once more; the same point twice is one there. */
  backfill(order: BackfillOrder): Answer<Backfilled> {
    const { store, drain } = this.#options;
    if (drain === null) return NONE;
    const { runs, next } = this.#page(order);
    const points = runs.flatMap(pastPoints);
    store.atomically(() => store.outbox.add(points));
    drain.kick();
    return { ok: true, value: { runs: runs.length, points: points.length, next } };
  }

  /** One page of stored runs as line protocol, also without InfluxDB. */
  export(order: BackfillOrder): Exported {
    const { runs, next } = this.#page(order);
    return { runs: runs.length, lines: runs.flatMap(pastPoints).map(lineOf), next };
  }

  #page({ since_ms, until_ms, device, after }: BackfillOrder): { runs: PastRun[]; next: string | null } {
    const place = after === undefined ? undefined : asPlace(after);
    const { runs, next } = this.#options.store.history.page({ since_ms, until_ms, device, after: place }, PAGE_RUNS);
    return { runs, next: next === null ? null : asText(next) };
  }
}
