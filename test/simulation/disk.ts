import type { Measurement } from '../../controller/results/measurement.ts';
import type { NightMark } from '../../controller/schedule/night.ts';
import type { SuppressionScope } from '../../controller/schedule/suppression.ts';
import type { LeaseRow } from '../../controller/slots/events.ts';
import type { Grant, NewRun, RunRow } from '../../controller/store/runs.ts';
import type { PromiseName } from './promises.ts';

/** Values that go back to what they were when a transaction does not come to its end. */
class Table<K, V> {
  readonly rows = new Map<K, V>();
  readonly #undo: (() => void)[];
  readonly #isOpen: () => boolean;

  constructor(undo: (() => void)[], isOpen: () => boolean) {
    this.#undo = undo;
    this.#isOpen = isOpen;
  }

  get(key: K): V | undefined {
    return this.rows.get(key);
  }

  set(key: K, value: V): void {
    this.#remember(key);
    this.rows.set(key, value);
  }

  delete(key: K): void {
    this.#remember(key);
    this.rows.delete(key);
  }

  #remember(key: K): void {
    if (!this.#isOpen()) return;
    const before = this.rows.get(key);
    this.#undo.push(() => (before === undefined ? this.rows.delete(key) : this.rows.set(key, before)));
  }
}

/** What outlives a crash of a controller: controller/store as maps, with its transactions, and its rules about what changes when. */
export class Disk {
  readonly #undo: (() => void)[] = [];
  readonly #written: (() => void)[] = [];
  #open = false;
  readonly #isOpen = () => this.#open;
  readonly runs = new Table<string, RunRow>(this.#undo, this.#isOpen);
  readonly leases = new Table<number, LeaseRow>(this.#undo, this.#isOpen);
  readonly grants = new Table<number, Grant>(this.#undo, this.#isOpen);
  readonly history = new Table<string, NightMark>(this.#undo, this.#isOpen);
  readonly results = new Table<string, true>(this.#undo, this.#isOpen);
  readonly measured = new Table<string, readonly Measurement[]>(this.#undo, this.#isOpen);
  readonly #nights = new Table<string, string>(this.#undo, this.#isOpen);
  suppressions: { scope: SuppressionScope; until_wall: number }[] = [];
  last_token = 0;
  readonly #broken: PromiseName | null;

  constructor(broken: PromiseName | null) {
    this.#broken = broken;
  }

  /** All of `work`, or nothing of it when it throws. */
  atomically(work: () => void): void {
    this.#open = true;
    try {
      work();
    } catch (error) {
      for (const undo of this.#undo.reverse()) undo();
      this.#written.length = 0;
      throw error;
    } finally {
      this.#undo.length = 0;
      this.#open = false;
    }
    for (const then of this.#written.splice(0)) then();
  }

  /** Does it when what was written is there to stay. */
  whenWritten(then: () => void): void {
    if (this.#open) this.#written.push(then);
    else then();
  }

  /** False when the device has a run of that night already. */
  add(run: NewRun): boolean {
    const night = `${run.organization} ${run.device} ${run.night}`;
    if (run.night !== null && this.#nights.get(night) !== undefined) return false;
    if (run.night !== null && this.#broken !== 'one-run-a-night') this.#nights.set(night, run.run);
    this.runs.set(run.run, { ...run, ...NEW, plan: run.tests });
    return true;
  }

  change(run: string, changes: Partial<RunRow>): void {
    const row = this.runs.get(run);
    if (row !== undefined && row.state !== 'final') this.runs.set(run, { ...row, ...changes });
  }

  saveLease(lease: LeaseRow): void {
    this.leases.set(lease.token, lease);
    this.last_token = Math.max(this.last_token, lease.token);
  }

  noteGrant(grant: Grant): void {
    const lease = this.leases.get(grant.token);
    if (lease !== undefined) this.leases.set(grant.token, { ...lease, granted: true });
    if (this.grants.get(grant.token) !== undefined) return;
    this.grants.set(grant.token, grant);
    const row = this.runs.get(grant.run);
    if (row === undefined) return;
    this.change(grant.run, {
      attempts: row.attempts + 1,
      granted_token: grant.token,
      granted_server: grant.server,
      granted_via: grant.via,
      granted_at_ms: grant.at_ms,
      granted_tests: grant.tests,
      awaits_result: true,
      first_granted_at_ms: row.first_granted_at_ms ?? grant.at_ms,
    });
  }

  leasesInOrder(): LeaseRow[] {
    return [...this.leases.rows.values()].sort((a, b) => a.token - b.token);
  }

  /** The machine goes down with the controller. An honest disk keeps all that it took. */
  crash(): void {
    if (this.#broken === 'restart-takes-leases')
      for (const token of [...this.leases.rows.keys()]) this.leases.delete(token);
    if (this.#broken === 'lease-before-start')
      for (const { token, granted } of this.leasesInOrder()) if (!granted) this.leases.delete(token);
    if (this.#broken === 'tokens-grow') this.last_token = 0;
    if (this.#broken === 'one-run-a-night') for (const key of [...this.history.rows.keys()]) this.history.delete(key);
  }
}

const NEW = {
  attempts: 0,
  failed_attempts: {},
  failures: [],
  first_granted_at_ms: null,
  granted_token: null,
  awaits_result: false,
  granted_server: null,
  granted_via: null,
  granted_at_ms: null,
  granted_tests: null,
  state: 'open',
  overdue_at_ms: null,
  outcome: null,
  reason: null,
  finished_at_ms: null,
  duration_s: null,
} as const satisfies Partial<RunRow>;
