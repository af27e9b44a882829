import type { Clock } from '../../broker/clock.ts';
import type { Log } from '../../broker/log.ts';
import type { Settings } from '../config/settings.ts';
import type { MqttDriver } from '../drivers/mqtt.ts';
import { type ProbeVerdict, probeServer } from '../drivers/probe.ts';
import { addressOf } from '../endpoint.ts';
import type { Failure } from '../results/measurement.ts';
import { reasonCode } from '../slots/answers.ts';
import type { Ending, LeaseRow, SlotEffect, SlotEvent } from '../slots/events.ts';
import type { Store } from '../store/store.ts';
import type { Checks } from './checks.ts';
import type { Gate } from './gate.ts';
import type { ProgressBoard } from './progress.ts';
import type { Settled, Settlement } from './settlement.ts';

export interface EffectsOptions {
  settings: () => Settings;
  store: Store;
  driver: MqttDriver;
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

/** What a refused run's reason means: a name that does not resolve is the network's fault, everything else the device's. */
const refusal = (reason: string): Failure =>
  reasonCode(reason) === 'unresolved'
    ? { class: 'unreachable', message: reason, retryable: true }
    : { class: 'local', message: reason, retryable: false };

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

  constructor(options: EffectsOptions) {
    this.#options = options;
  }

  do(effect: SlotEffect): void {
    const { store, driver, board } = this.#options;
    switch (effect.type) {
      case 'prepare':
        this.#prepare(effect);
        break;
      case 'start': {
        const { device, run, token, nonce, lease_ms } = effect;
        store.leases.ensureOnDisk(token);
        driver.start({ device, run, token, nonce, server: addressOf(effect.endpoint), lease_ms });
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

  #granted({ token, run, device, server, tests }: LeaseRow): void {
    const { store, gate, clock } = this.#options;
    const at_ms = clock.wall();
    const bytes = gate.estimate(device, tests);
    store.runs.noteGrant({ token, run, server, via: 'agent', at_ms, tests });
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
    const { settlement, store, clock, log, followUp, onPoints } = this.#options;
    const at_ms = clock.wall();
    switch (ending.how) {
      case 'refused':
        followUp(run, settlement.attemptFailed(run, refusal(ending.reason), ending.server, at_ms));
        break;
      case 'interrupted': {
        const message = `the agent lost the run: ${ending.reason}`;
        followUp(run, settlement.attemptFailed(run, { class: 'link-lost', message, retryable: true }, null, at_ms));
        break;
      }
      case 'overdue':
        log.warn({ run, reason: ending.reason }, 'the deadline of a run passed; its result may still come');
        store.runs.setOverdue(run, at_ms);
        return;
      case 'skipped':
      case 'missed':
      case 'cancelled':
        if (ending.how !== 'cancelled') log.warn({ run, reason: ending.reason }, `run ${ending.how}`);
        if (settlement.end(run, ending.how, ending.reason, at_ms)) followUp(run, 'final');
        break;
    }
    onPoints();
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
