import { HOST_KEY } from '../config/built-in-alerts.ts';
import type { Settings } from '../config/settings.ts';
import type { DeviceStates, OpenRow } from '../store/alert-states.ts';
import type { Store } from '../store/store.ts';
import { evaluateDevice, releaseHolds } from './device.ts';
import { isChecked, isPartial, isServerChecked, wasRemoved, withoutEnded } from './endings.ts';
import { AlertReading } from './reading.ts';
import { endAlerts } from './reconcile.ts';
import { Rounds } from './rounds.ts';
import { RuleIndex } from './rule-index.ts';
import { evaluateServer, suspicion } from './server.ts';
import type { Hold, RuleState, SubjectStates } from './state.ts';
import { HOLD_MS, type Sample } from './step.ts';
import { Teller } from './teller.ts';
import { Usual } from './usual.ts';
import { Well } from './well.ts';
import { type AlertOutcome, type AlertWrite, merged, NOTHING_CHANGED, type Retest } from './write.ts';

export interface AlertsOptions {
  settings: () => Settings;
  store: Store;
}

/** What a look at some alerts has brought about; `more`: there are others to look at. */
export type Looked = AlertOutcome & { more: boolean };

const ofDevice = (name: string) => ({ kind: 'device', name }) as const;
const ofServer = (name: string) => ({ kind: 'server', name }) as const;

/**
 * All about alerts: what the rules make of each write, and what people ask about it. The pure parts beside it decide; this reads and writes
 * what they need, in the transaction of whoever calls, or in one of its own. Throws StoreError when the store can't be written.
 */
export class Alerts {
  readonly reading: AlertReading;
  readonly #settings: () => Settings;
  readonly #store: Store;
  readonly #teller: Teller;
  readonly #wellDevices = new Well<DeviceStates>();
  /** With the newest grant that is known of each. After a restart the store knows. */
  readonly #wellServers = new Well<SubjectStates>();
  #index: RuleIndex;
  #rounds: Rounds;
  /** As long as the rules are the same: what no rule asks for is not followed. */
  #usual: Usual;

  constructor({ settings, store }: AlertsOptions) {
    this.#settings = settings;
    this.#store = store;
    this.#teller = new Teller(store.notices, (name) => settings().receivers.has(name));
    this.#index = new RuleIndex(settings().alerts);
    this.#usual = this.#newUsual();
    this.#rounds = new Rounds(store.alertStates);
    this.reading = new AlertReading({ settings, store, index: () => this.#index });
  }

  /** Takes the rules of the settings into force, and begins to end the alerts of others. To be called at the start, and after each change of the settings. */
  configure(now_ms: number): Looked {
    this.#index = new RuleIndex(this.#settings().alerts);
    this.#usual = this.#newUsual();
    this.#rounds = new Rounds(this.#store.alertStates);
    return this.tick(now_ms);
  }

  /**
   * What only time brings about: alerts fire that were held for long enough, and end when no value will end them any more. Looks at some of them,
   * and at others with the next call: to be called every few minutes, and again soon while there are more.
   */
  tick(now_ms: number): Looked {
    const { rows, more } = this.#rounds.next(now_ms);
    const isOver = ({ until_ms }: Hold) => until_ms !== null && (until_ms <= now_ms || until_ms > now_ms + HOLD_MS);
    const outcomes = this.#store.atomically(() =>
      rows.flatMap((row) => {
        const { states, ended } = this.#endAlerts(row, now_ms);
        return row.kind === 'device' ? [ended, this.#release(row.name, states, now_ms, isOver)] : ended;
      }),
    );
    return { ...merged(outcomes), more };
  }

  /** What a write means. To be called once for each, in the transaction that stores it. */
  evaluate(write: AlertWrite): AlertOutcome {
    const { alertHistory, leases } = this.#store;
    const row = this.#index.size === 0 ? null : this.#device(write.device);
    if (row === null) return NOTHING_CHANGED;
    this.#usual.add(write);
    const { states: known, ...device } = row;
    const { states: before, ended } = this.#endAlerts(
      { ...ofDevice(write.device), states: known, device },
      write.at_ms,
    );
    const token = write.token ?? leases.lastToken();
    const server = this.#evaluateServer(write);
    const states = server.isHeldOn ? this.#store.alertStates.get(ofDevice(write.device)) : before;
    const verdict = evaluateDevice(states, write, {
      rulesOf: this.#index.for(device, write.server),
      ruleOf: (name) => this.#index.get(name),
      isLate: () => alertHistory.hasNewer(write.device, token),
      token,
      scheduled: isChecked(this.#settings(), device),
      partial: isPartial(this.#settings(), device, write.end),
      suspect: server.suspect,
      medianOf: (baseline, before_ms) => this.#usual.median(write.device, baseline, before_ms),
    });
    if (verdict.states !== states) this.#putDevice(write.device, verdict.states);
    const notices = this.#teller.tell(ofDevice(write.device), device.organization, verdict.changes, write.at_ms);
    return merged([ended, server, { notices, retests: verdict.retests }]);
  }

  /** A confirming run was ordered. Its value decides, or its end when it has none. */
  noteRetest({ rule, device }: Pick<Retest, 'rule' | 'device'>, run: string): void {
    const { alertStates } = this.#store;
    this.#store.atomically(() => {
      const states = alertStates.get(ofDevice(device));
      const entry = states.rules[rule];
      if (entry?.hold?.why !== 'retest') return;
      const rules = { ...states.rules, [rule]: { ...entry, hold: { ...entry.hold, run } } };
      this.#putDevice(device, { ...states, rules });
    });
  }

  /** A device is about to be removed: its alerts end. To be called in the transaction that removes it. */
  removeDevice(device: string, now_ms: number): AlertOutcome {
    this.#wellDevices.forget(device);
    this.#usual.forget(device);
    const { alertStates } = this.#store;
    return this.#store.atomically(() => {
      const organization = alertStates.device(device)?.organization ?? null;
      const { changes } = endAlerts(alertStates.get(ofDevice(device)), () => wasRemoved(device));
      alertStates.remove(ofDevice(device));
      return { notices: this.#teller.tell(ofDevice(device), organization, changes, now_ms), retests: [] };
    });
  }

  /** Another host key of a device is trusted from now on: the alert about it ends. To be called in the transaction that pins it. */
  trustDevice(device: string, now_ms: number): AlertOutcome {
    const { alertStates } = this.#store;
    const isTold = ({ alert }: RuleState) => alert?.metric === HOST_KEY;
    const { states, changes } = endAlerts(alertStates.get(ofDevice(device)), (_, entry) =>
      isTold(entry) ? 'its host key was trusted' : null,
    );
    if (changes.length > 0) this.#putDevice(device, states);
    const organization = alertStates.device(device)?.organization ?? null;
    return { notices: this.#teller.tell(ofDevice(device), organization, changes, now_ms), retests: [] };
  }

  #newUsual(): Usual {
    const { alertHistory, runs } = this.#store;
    return new Usual(alertHistory, () => runs.prunedBefore_ms);
  }

  /** The attempt's server comes first: it may be what the device's values are the fault of. Only what had a slot there says something of it. */
  #evaluateServer(write: AlertWrite): AlertOutcome & { suspect: Sample['suspect']; isHeldOn: boolean } {
    const { server, reached, device, run, token, at_ms } = write;
    const rule = server === null ? null : this.#index.serverDown(server);
    if (server === null || rule === null) return { ...NOTHING_CHANGED, suspect: null, isHeldOn: false };
    const { alertStates } = this.#store;
    const well = this.#wellServers.get(server);
    const { states: known, ended } =
      well === undefined
        ? this.#endAlerts({ ...ofServer(server), states: alertStates.get(ofServer(server)), device: null }, at_ms)
        : { states: well, ended: NOTHING_CHANGED };
    const suspectOf = (states: SubjectStates): Sample['suspect'] => {
      const found = suspicion(states, rule, device);
      return found === 'none' ? null : { server, down: found === 'down' };
    };
    if (reached === null || token === null) return { ...ended, suspect: suspectOf(known), isHeldOn: false };
    const time_ms = write.end?.time_ms ?? at_ms;
    const verdict = evaluateServer(known, rule, { server, device, run, token, time_ms, at_ms, reached });
    if (!this.#keepServer(server, known, verdict.states)) {
      return { ...ended, suspect: suspectOf(known), isHeldOn: false };
    }
    const notices = this.#teller.tell(ofServer(server), null, verdict.changes, at_ms);
    const isHeldOn = verdict.changes.length > 0;
    if (isHeldOn) this.#holdOn(server);
    const isOver = (hold: Hold) => hold.why === 'server' && hold.server === server;
    const others = verdict.cleared.filter((name) => name !== device);
    const released = others.map((name) => this.#release(name, alertStates.get(ofDevice(name)), at_ms, isOver));
    return { ...merged([ended, { notices, retests: [] }, ...released]), suspect: suspectOf(verdict.states), isHeldOn };
  }

  /** A registered device, and what is known of it. */
  #device(device: string): DeviceStates | null {
    const row = this.#wellDevices.get(device) ?? this.#store.alertStates.device(device);
    if (row !== null && Object.keys(row.states.rules).length === 0) this.#wellDevices.set(device, row);
    return row;
  }

  #putDevice(device: string, states: SubjectStates): void {
    this.#wellDevices.forget(device);
    this.#store.alertStates.put(ofDevice(device), states);
  }

  /**
   * Nearly all results say that a server is well: that is not worth a row each time. False when something would change and the store has
   * newer results of the server, which this one says nothing about.
   */
  #keepServer(server: string, known: SubjectStates, states: SubjectStates): boolean {
    const { rules, suspects, disproved, token } = states;
    if (rules === known.rules && suspects.length === 0 && disproved === known.disproved) {
      this.#wellServers.set(server, states);
      return true;
    }
    if (this.#store.alertHistory.serverHasNewer(server, token)) return false;
    this.#wellServers.forget(server);
    const scheduled = isServerChecked(this.#settings(), server);
    this.#store.alertStates.put(ofServer(server), { ...states, scheduled });
    return true;
  }

  /** Ends what no value will end any more. */
  #endAlerts(row: OpenRow, now_ms: number): { states: SubjectStates; ended: AlertOutcome } {
    const { kind, name, states: known, device } = row;
    const { states, changes } = withoutEnded(row, this.#settings(), this.#index, now_ms);
    if (states !== known) this.#store.alertStates.put({ kind, name }, states);
    const notices = this.#teller.tell({ kind, name }, device?.organization ?? null, changes, now_ms);
    return { states, ended: { notices, retests: [] } };
  }

  /** Lets go of what is held no longer. */
  #release(device: string, states: SubjectStates, at_ms: number, isOver: (hold: Hold) => boolean): AlertOutcome {
    const { alertStates } = this.#store;
    const released = releaseHolds(states, device, (name) => this.#index.get(name), isOver, at_ms);
    const organization = alertStates.device(device)?.organization;
    if (organization === undefined || released.states === states) return NOTHING_CHANGED;
    this.#putDevice(device, released.states);
    const notices = this.#teller.tell(ofDevice(device), organization, released.changes, at_ms);
    return { notices, retests: released.retests };
  }

  /**
   * The server is down, or was: what is held because of it has no time any more at which it fires. The next value of its device decides, also of
   * one that did not come while the server was down.
   */
  #holdOn(server: string): void {
    for (const { name, states } of this.#store.alertStates.timed()) {
      const rules = Object.entries(states.rules).map(([rule, entry]) => {
        const { hold } = entry;
        const isHeldOn = hold?.why === 'server' && hold.server === server;
        return [rule, isHeldOn ? { ...entry, hold: { ...hold, until_ms: null } } : entry] as const;
      });
      this.#putDevice(name, { ...states, rules: Object.fromEntries(rules) });
    }
  }
}
