import type { AlertSettings, Settings } from '../config/settings.ts';
import type { DeviceStates } from '../store/alert-states.ts';
import type { Store } from '../store/store.ts';
import { evaluateDevice, releaseHolds } from './device.ts';
import { Endings, isChecked, isServerChecked } from './endings.ts';
import { History } from './history.ts';
import type { AlertNotice, Subject } from './notice.ts';
import { noticeOf } from './notice-of.ts';
import { compiled, RuleIndex } from './rule-index.ts';
import { evaluateServer, suspicion } from './server.ts';
import type { Hold, SubjectStates } from './state.ts';
import { firingChange, HOLD_MS, type Sample } from './step.ts';
import type { ExplainedRule, ReplayedAlert, StoredAlert } from './stored-alert.ts';
import { Teller } from './teller.ts';
import { explainedRule, storedAlert } from './view.ts';
import { Well } from './well.ts';
import { type AlertOutcome, type AlertWrite, merged, NOTHING_CHANGED, type Retest } from './write.ts';

export interface AlertsOptions {
  settings: () => Settings;
  store: Store;
}

const ofDevice = (name: string): Subject => ({ kind: 'device', name });
const ofServer = (name: string): Subject => ({ kind: 'server', name });

/**
 * All about alerts: what the rules make of each write, and what people ask about it. The pure parts beside it decide; this reads and writes
 * what they need, in the transaction of whoever calls, or in one of its own. Throws StoreError when the store can't be written.
 */
export class Alerts {
  readonly #settings: () => Settings;
  readonly #store: Store;
  readonly #history: History;
  readonly #teller: Teller;
  readonly #endings: Endings;
  readonly #wellDevices = new Well<DeviceStates>();
  /** With the newest grant that is known of each. After a restart the store knows. */
  readonly #wellServers = new Well<SubjectStates>();
  #index: RuleIndex;

  constructor({ settings, store }: AlertsOptions) {
    this.#settings = settings;
    this.#store = store;
    this.#history = new History(store.alertHistory);
    this.#teller = new Teller(store.notices, (name) => settings().receivers.has(name));
    this.#endings = new Endings(store.alertStates, this.#teller, settings);
    this.#index = new RuleIndex(settings().alerts);
  }

  /** Takes the rules of the settings into force, and ends the alerts of others. To be called at the start, and after each change of the settings. */
  configure(now_ms: number): AlertOutcome {
    this.#index = new RuleIndex(this.#settings().alerts);
    return this.tick(now_ms);
  }

  /**
   * What only time brings about: alerts fire that were held for long enough, and end when no value will end them any more. To be called every few
   * minutes.
   */
  tick(now_ms: number): AlertOutcome {
    const { alertStates } = this.#store;
    return this.#store.atomically(() => {
      const ended = this.#endings.look(this.#index, now_ms);
      const isOver = ({ until_ms }: Hold) => until_ms !== null && (until_ms <= now_ms || until_ms > now_ms + HOLD_MS);
      const released = alertStates
        .held(now_ms, HOLD_MS)
        .map(({ name, states }) => this.#release(name, states, now_ms, isOver));
      return merged([{ notices: ended, retests: [] }, ...released]);
    });
  }

  /** What a write means. To be called once for each, in the transaction that stores it. */
  evaluate(write: AlertWrite): AlertOutcome {
    const { alertHistory, leases } = this.#store;
    const row = this.#index.size === 0 ? null : this.#device(write.device);
    if (row === null) return NOTHING_CHANGED;
    const { states: before, ...device } = row;
    const token = write.token ?? leases.lastToken();
    const server = this.#evaluateServer(write);
    const states = server.isHeldOn ? this.#store.alertStates.get(ofDevice(write.device)) : before;
    const verdict = evaluateDevice(states, write, {
      rulesOf: this.#index.for(device, write.server),
      ruleOf: (name) => this.#index.get(name),
      isLate: () => alertHistory.hasNewer(write.device, token),
      token,
      scheduled: isChecked(this.#settings(), device),
      suspect: server.suspect,
      medianOf: (rule, before_ms) => this.#history.median(rule, write.device, before_ms),
    });
    if (verdict.states !== states) this.#putDevice(write.device, verdict.states);
    const notices = this.#teller.tell(ofDevice(write.device), device.organization, verdict.changes, write.at_ms);
    return merged([server, { notices, retests: verdict.retests }]);
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
    return { notices: this.#store.atomically(() => this.#endings.ofRemoved(device, now_ms)), retests: [] };
  }

  /** Another host key of a device is trusted from now on. To be called in the transaction that pins it. */
  trustDevice(device: string, now_ms: number): AlertOutcome {
    this.#wellDevices.forget(device);
    return { notices: this.#store.atomically(() => this.#endings.ofTrusted(device, now_ms)), retests: [] };
  }

  /** What is pending or firing; with `all`, also what was resolved and has not come again. In order of devices, then servers. */
  list({ all = false }: { all?: boolean } = {}): StoredAlert[] {
    return this.#store.alertStates
      .open({ all })
      .flatMap(({ kind, name, states }) =>
        Object.entries(states.rules).map(([rule, entry]) =>
          storedAlert({ kind, name }, rule, entry, this.#index.get(rule)),
        ),
      )
      .filter(({ state }) => all || state !== 'resolved');
  }

  /** What fires of that which this receiver was told of, as notices: for receivers that forget an alert unless it is told again. */
  firing(receiver: string): AlertNotice[] {
    const { alertStates } = this.#store;
    return alertStates.open().flatMap(({ kind, name, states }) => {
      const organization = kind === 'device' ? (alertStates.device(name)?.organization ?? null) : null;
      return Object.entries(states.rules).flatMap(([rule, entry]) => {
        const change = firingChange(rule, entry);
        if (change === null || !change.alert.told.includes(receiver)) return [];
        return noticeOf(change, { kind, name }, organization, change.alert.firing_since_ms);
      });
    });
  }

  /** Every rule that is about the device, in the order of the settings; null when there is no such device. */
  explain(device: string): ExplainedRule[] | null {
    const row = this.#store.alertStates.device(device);
    if (row === null) return null;
    return this.#index
      .about(row)
      .map((rule) =>
        explainedRule(ofDevice(device), rule, row.states.rules[rule.name] ?? null, this.#history.last(device, rule)),
      );
  }

  /**
   * When a rule would have fired on what is stored since then, one device or server at a time: each step is short, so that a long history need
   * not stop everything else. Neither servers that were down nor confirming runs hold anything.
   */
  *replay(settings: AlertSettings, since_ms: number): Generator<ReplayedAlert[]> {
    const rule = compiled(settings);
    if (rule.subject === 'server') {
      const { server } = rule.where;
      for (const name of server === null ? this.#settings().servers.keys() : [server]) {
        yield this.#history.replayServer(rule, name, since_ms);
      }
      return;
    }
    const only = new RuleIndex([settings]);
    for (const device of this.#store.devices.list()) {
      if (only.about(device).length > 0) yield this.#history.replayDevice(rule, device.device, since_ms);
    }
  }

  /** The attempt's server comes first: it may be what the device's values are the fault of. Only what had a slot there says something of it. */
  #evaluateServer(write: AlertWrite): AlertOutcome & { suspect: Sample['suspect']; isHeldOn: boolean } {
    const { server, reached, device, run, token, at_ms } = write;
    const rule = server === null ? null : this.#index.serverDown(server);
    if (server === null || rule === null) return { ...NOTHING_CHANGED, suspect: null, isHeldOn: false };
    const { alertStates } = this.#store;
    const known = this.#wellServers.get(server) ?? alertStates.get(ofServer(server));
    const suspectOf = (states: SubjectStates): Sample['suspect'] => {
      const found = suspicion(states, rule, device);
      return found === 'none' ? null : { server, down: found === 'down' };
    };
    if (reached === null || token === null) return { ...NOTHING_CHANGED, suspect: suspectOf(known), isHeldOn: false };
    const time_ms = write.end?.time_ms ?? at_ms;
    const verdict = evaluateServer(known, rule, { server, device, run, token, time_ms, at_ms, reached });
    if (!this.#keepServer(server, known, verdict.states)) {
      return { ...NOTHING_CHANGED, suspect: suspectOf(known), isHeldOn: false };
    }
    const notices = this.#teller.tell(ofServer(server), null, verdict.changes, at_ms);
    const isHeldOn = verdict.changes.length > 0;
    if (isHeldOn) this.#holdOn(server);
    const isOver = (hold: Hold) => hold.why === 'server' && hold.server === server;
    const others = verdict.cleared.filter((name) => name !== device);
    const released = others.map((name) => this.#release(name, alertStates.get(ofDevice(name)), at_ms, isOver));
    return { ...merged([{ notices, retests: [] }, ...released]), suspect: suspectOf(verdict.states), isHeldOn };
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

  /** Lets go of what is held no longer. */
  #release(device: string, states: SubjectStates, at_ms: number, isOver: (hold: Hold) => boolean): AlertOutcome {
    const { alertStates } = this.#store;
    const organization = alertStates.device(device)?.organization;
    if (organization === undefined) return NOTHING_CHANGED;
    const released = releaseHolds(states, device, (name) => this.#index.get(name), isOver, at_ms);
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
