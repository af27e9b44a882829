import type { Clock } from '../../broker/clock.ts';
import type { Log } from '../../broker/log.ts';
import type { Settings } from '../config/settings.ts';
import { type ProbeVerdict, probeServer } from '../drivers/probe.ts';
import type { RoutedDriver } from '../drivers/routed.ts';
import { type Routes, viaOf } from '../drivers/routes.ts';
import { addressOf } from '../endpoint.ts';
import type { Ending, LeaseRow, SlotEffect, SlotEvent } from '../slots/events.ts';
import type { Store } from '../store/store.ts';
import type { Checks } from './checks.ts';
import type { Gate } from './gate.ts';
import type { ProgressBoard } from './progress.ts';
import type { Settled, Settlement } from './settlement.ts';
import { refusal, skipReason } from './untried.ts';

export interface EffectsOptions {
  settings: () => Settings;
  store: Store;
  driver: RoutedDriver;
  routes: Pick<Routes, 'of'>;
  settlement: Settlement;
  gate: Gate;
  board: ProgressBoard;
  checks: Checks;
  clock: Clock;
  log: Log;
  /** Takes an event for the slots, after what is being done now. */
  handle: (event: SlotEvent) => void;
  /** What comes after a run was settled. */
  followUp: (run: string, settled: Settled) => void;
  /** Called when rows were added for InfluxDB. */
  onPoints: () => void;
}

/** What a probe means for the slots: whether the server would take a test now. */
const SLOT_VERDICTS: Record<ProbeVerdict, 'free' | 'busy' | 'silent'> = {
  answers: 'free',
  busy: 'busy',
  silent: 'silent',
  refused: 'silent',
  unreachable: 'silent',
  unresolved: 'silent',
  'not-iperf3': 'silent',
};

type Of<T extends SlotEffect['type']> = Extract<SlotEffect, { type: T }>;

/** Does what the slots want done, one effect at a time. Throws StoreError when the store can't be written. */
export class Effects {
  readonly #options: EffectsOptions;
  /** Up to this one, leases are of earlier controllers. */
  readonly #last_token: number;

  constructor(options: EffectsOptions) {
    this.#options = options;
    this.#last_token = options.store.leases.lastToken();
  }

  do(effect: SlotEffect): void {
    const { store, driver, board } = this.#options;
    switch (effect.type) {
      case 'prepare':
        this.#prepare(effect);
        break;
      case 'start': {
        const { device, run, token, nonce, boot, lease_ms } = effect;
        store.leases.ensureOnDisk(token);
        driver.start({ device, run, token, nonce, boot, server: addressOf(effect.endpoint), lease_ms });
        break;
      }
      case 'cancel':
        driver.cancel(effect.device, effect.run, effect.reason);
        break;
      case 'save-lease':
        store.leases.save(effect.lease);
        break;
      case 'granted':
        this.#granted(effect.lease);
        break;
      case 'drop-lease':
        store.leases.drop(effect.token);
        break;
      case 'slot':
        this.#showSlot(effect);
        break;
      case 'phase':
        this.#phase(effect);
        break;
      case 'released':
        board.tell({ phase: 'finished', run: effect.run, at: this.#at() });
        break;
      case 'ended':
        this.#ended(effect.run, effect.ending);
        break;
      case 'probe':
        this.#probe(effect.server);
        break;
      case 'unprobed':
        this.#options.checks.unprobed(effect);
        break;
    }
  }

  /** A run that its device's budget or daily limit does not admit ends here: its device is not asked. */
  #prepare(effect: Of<'prepare'>): void {
    const { driver, gate, settings, handle } = this.#options;
    const reason = gate.refusal(effect);
    if (reason !== null) {
      handle({ type: 'skip', run: effect.run, reason });
      return;
    }
    const server = settings().servers.get(effect.server);
    if (server !== undefined) driver.prepare(effect, server);
  }

  #granted({ token, run, device, server, boot, tests }: LeaseRow): void {
    const { store, gate, clock } = this.#options;
    const at_ms = clock.wall();
    const bytes = gate.estimate(device, tests);
    store.runs.noteGrant({ token, run, server, via: viaOf(boot), at_ms, tests });
    store.moved.note({ token, run, device, at_ms, bytes });
  }

  #showSlot({ server, lease, state }: Of<'slot'>): void {
    const { driver, clock } = this.#options;
    if (lease === null) {
      driver.slot(server, { device: null, run: null, token: null, until: null, length_ms: null, state });
      return;
    }
    const { device, run, token, length_ms, rest_ms } = lease;
    const until = new Date(clock.wall() + length_ms).toISOString();
    driver.slot(server, { device, run, token, until, length_ms: Math.ceil(length_ms + rest_ms), state });
  }

  #phase(effect: Of<'phase'>): void {
    const { store, board } = this.#options;
    const { run, phase } = effect;
    const at = this.#at();
    if (phase === 'waiting') {
      // Granted before and waiting again: no result will come for that token.
      store.runs.noteRequeued(run);
      board.tell({ phase, run, at, reason: null });
    } else if (phase === 'on-deck') board.tell({ phase, run, at, server: effect.server });
    else board.tell({ phase, run, at, server: effect.server, tests: store.runs.get(run)?.tests ?? [] });
  }

  #ended(run: string, ending: Ending): void {
    const { settlement, clock, log, followUp, onPoints } = this.#options;
    const at_ms = clock.wall();
    switch (ending.how) {
      case 'refused':
        this.#refused(run, ending, at_ms);
        break;
      case 'interrupted':
        this.#interrupted(run, ending.reason, at_ms);
        break;
      case 'overdue':
        this.#overdue(run, ending.reason, at_ms);
        return;
      case 'skipped':
        this.#skipped(run, ending.reason, at_ms);
        break;
      case 'missed':
      case 'cancelled':
        if (ending.how === 'missed') log.warn({ run, reason: ending.reason }, 'run missed');
        if (settlement.end(run, ending.how, ending.reason, at_ms)) followUp(run, 'final');
        break;
    }
    onPoints();
  }

  /**
   * An agent that lost a run which it had was cut off itself. Over SSH this controller is the agent, and it was another one that had the run:
   * that it was stopped says nothing of the network, so it is no failure.
   */
  #interrupted(run: string, reason: string, at_ms: number): void {
    const { store, settlement, followUp } = this.#options;
    if (store.records.get(run)?.via === 'ssh') {
      store.runs.noteCutOff(run);
      followUp(run, 'retry');
      return;
    }
    const message = `the agent lost the run: ${reason}`;
    followUp(run, settlement.attemptFailed(run, { class: 'link-lost', message, retryable: true }, null, at_ms));
  }

  /** What an agent has measured may still come. What was measured over SSH for an earlier controller went with that. */
  #overdue(run: string, reason: string, at_ms: number): void {
    const { store, log, followUp } = this.#options;
    const row = store.runs.get(run);
    if (row?.granted_via === 'ssh' && Number(row.granted_token) <= this.#last_token) {
      log.warn({ run, reason }, 'the deadline of a run passed, and no result can come: it waits again');
      store.runs.noteCutOff(run);
      followUp(run, 'retry');
      return;
    }
    log.warn({ run, reason }, 'the deadline of a run passed; its result may still come');
    store.runs.setOverdue(run, at_ms);
  }

  #refused(run: string, { reason, server }: Extract<Ending, { how: 'refused' }>, at_ms: number): void {
    const { settlement, followUp } = this.#options;
    const meant = refusal(reason);
    if ('skipped' in meant) this.#skipped(run, meant.skipped, at_ms);
    else followUp(run, settlement.attemptFailed(run, meant, server, at_ms));
  }

  #skipped(run: string, said: string, at_ms: number): void {
    const { settlement, store, routes, log, followUp } = this.#options;
    const device = store.runs.get(run)?.device ?? '';
    const reason = skipReason(said, routes.of(device));
    log.warn({ run, reason }, 'run skipped');
    if (settlement.end(run, 'skipped', reason, at_ms)) followUp(run, 'final');
  }

  #probe(server: string): void {
    const { settings, checks, clock, log, handle } = this.#options;
    const target = settings().servers.get(server);
    if (target === undefined) return;
    const report = probeServer(target.host, target.port, clock);
    checks.probed(server, report);
    void report.then(({ verdict }) => {
      log.info({ server, verdict }, 'probed a server that rests, is busy elsewhere, or is checked');
      handle({ type: 'probed', server, verdict: SLOT_VERDICTS[verdict] });
    });
  }

  #at(): string {
    return new Date(this.#options.clock.wall()).toISOString();
  }
}
