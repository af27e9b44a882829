import type { Clock } from '../../broker/clock.ts';
import { refusal } from '../api/refusal.ts';
import type { RawView, RunOrder } from '../api/run-views.ts';
import type { Answer, RecordFilter, RunService } from '../api/service.ts';
import type { Settings } from '../config/settings.ts';
import type { RunRecord } from '../run-record.ts';
import type { Dispatcher } from '../runs/dispatcher.ts';
import { newRunId } from '../runs/nights.ts';
import type { Progress, ProgressBoard, ProgressListener } from '../runs/progress.ts';
import { checkOf } from '../schedule/check-of.ts';
import type { Store } from '../store/store.ts';
import { unknownDevice, unknownRun, unknownServer } from './unknown.ts';

/** How long a run that a person asked for waits for its turn before it is `missed`. */
const DEMAND_WINDOW_MS = 3_600_000;

export interface RunDeskOptions {
  settings: () => Settings;
  store: Pick<Store, 'devices' | 'runs' | 'records' | 'raw'>;
  dispatcher: Pick<Dispatcher, 'submit' | 'cancel'>;
  board: Pick<ProgressBoard, 'last' | 'watch'>;
  clock: Pick<Clock, 'wall'>;
}

/** Runs as the HTTP API offers them. */
export class RunDesk implements RunService {
  readonly #options: RunDeskOptions;

  constructor(options: RunDeskOptions) {
    this.#options = options;
  }

  /**
   * A run now, with the tests of the device's check, also when its schedule is off. `before` gets the new id before
   * anything happens to the run.
   */
  order({ device, server }: RunOrder, before: (run: string) => void = () => {}): Answer<{ run: string }> {
    const { store, settings, dispatcher, clock } = this.#options;
    const row = store.devices.get(device);
    if (row === null) return unknownDevice(device);
    const organization = settings().organizations.get(row.organization);
    if (organization === undefined) {
      return refusal(
        'conflict',
        `organization ${row.organization} of device ${device} is not in the configuration any more`,
      );
    }
    if (server !== null && !settings().servers.has(server)) return unknownServer(server, settings());
    if (server === null && organization.servers.length === 0) {
      return refusal(
        'conflict',
        `organization ${row.organization} has no server: set organizations.${row.organization}.servers or default_servers`,
      );
    }
    const now = clock.wall();
    const run = newRunId();
    store.runs.add([
      {
        run,
        device,
        organization: row.organization,
        server,
        origin: 'demand',
        night: null,
        tests: checkOf(organization, row.tags).tests,
        requested_at_ms: now,
        not_before_ms: now,
        window_end_ms: now + DEMAND_WINDOW_MS,
      },
    ]);
    before(run);
    dispatcher.submit(run);
    return { ok: true, value: { run } };
  }

  cancel(run: string): Answer<{ run: string }> {
    const { store, dispatcher } = this.#options;
    const row = store.runs.get(run);
    if (row === null) return unknownRun(run);
    if (row.state === 'final') return refusal('conflict', `run ${run} is over`);
    dispatcher.cancel(row, 'cancelled by a person');
    return { ok: true, value: { run } };
  }

  record(run: string): Answer<RunRecord> {
    const value = this.#options.store.records.get(run);
    return value === null ? unknownRun(run) : { ok: true, value };
  }

  records(filter: RecordFilter): RunRecord[] {
    return this.#options.store.records.list(filter);
  }

  raw(run: string): Answer<RawView> {
    const { runs, raw } = this.#options.store;
    if (runs.get(run) === null) return unknownRun(run);
    const attempts = raw.of(run).map(({ token, outputs }) => ({ token, tests: outputs }));
    return { ok: true, value: { run, attempts } };
  }

  progress(run: string): Progress | null {
    return this.#options.board.last(run) ?? null;
  }

  watch(listener: ProgressListener): () => void {
    return this.#options.board.watch(listener);
  }
}
