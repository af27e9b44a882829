import type { Measurement } from '../../controller/results/measurement.ts';
import type { NightMark } from '../../controller/schedule/night.ts';
import type { SuppressionScope } from '../../controller/schedule/suppression.ts';
import type { LeaseRow } from '../../controller/slots/events.ts';
import type { Grant, NewRun, RunRow } from '../../controller/store/runs.ts';
import { type Commit, Journal, Table } from './journal.ts';
import type { PromiseName } from './promises.ts';

/** What outlives a crash of a controller: controller/store as maps, with its transactions, and its rules about what changes when. */
export class Disk {
  readonly journal = new Journal();
  readonly runs = new Table<string, RunRow>(this.journal);
  readonly leases = new Table<number, LeaseRow>(this.journal);
  readonly grants = new Table<number, Grant>(this.journal);
  readonly history = new Table<string, NightMark>(this.journal);
  readonly results = new Table<string, true>(this.journal);
  readonly measured = new Table<string, readonly Measurement[]>(this.journal);
  readonly #nights = new Table<string, string>(this.journal);
  readonly #counter = new Table<'token', number>(this.journal);
  /** Which commit saved a lease, by token, as long as the process lives that did. */
  readonly #saved = new Map<number, Commit>();
  suppressions: { scope: SuppressionScope; until_wall: number }[] = [];
  readonly #broken: PromiseName | null;

  constructor(broken: PromiseName | null) {
    this.#broken = broken;
  }

  get last_token(): number {
    return this.#counter.get('token') ?? 0;
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
    const commit = this.journal.deferred(() => {
      this.leases.set(lease.token, lease);
      this.#counter.set('token', Math.max(this.last_token, lease.token));
    });
    this.#saved.set(lease.token, commit);
  }

  /** Before a start. */
  ensureOnDisk(token: number): void {
    const commit = this.#saved.get(token);
    if (commit !== undefined && this.#broken !== 'lease-survives-power-cut') this.journal.ensureOnDisk(commit);
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

  /** The process dies, and what it knew of the disk is gone. The disk keeps all that it took. */
  crash(): void {
    this.#saved.clear();
    if (this.#broken === 'restart-takes-leases')
      for (const token of [...this.leases.rows.keys()]) this.leases.delete(token);
    if (this.#broken === 'lease-before-start')
      for (const { token, granted } of this.leasesInOrder()) if (!granted) this.leases.delete(token);
    if (this.#broken === 'tokens-grow') this.#counter.set('token', 0);
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
