import type { AlertSettings, Settings } from '../config/settings.ts';
import type { Store } from '../store/store.ts';
import { History } from './history.ts';
import type { AlertNotice, Subject } from './notice.ts';
import { noticeOf } from './notice-of.ts';
import { pagesOf } from './rounds.ts';
import { compiled, RuleIndex } from './rule-index.ts';
import { firingChange } from './step.ts';
import type { ExplainedRule, ReplayedAlert, StoredAlert } from './stored-alert.ts';
import { explainedRule, type IsDown, storedAlert } from './view.ts';

export interface AlertReadingOptions {
  settings: () => Settings;
  store: Store;
  /** The rules in force. */
  index: () => RuleIndex;
}

/**
 * What people and receivers ask about alerts. A fleet has many: what reads all of them gives them a piece at a time, each a matter of
 * milliseconds and as the store is by then, so that everything else has its turn in between.
 */
export class AlertReading {
  readonly #options: AlertReadingOptions;
  readonly #history: History;

  constructor(options: AlertReadingOptions) {
    this.#options = options;
    this.#history = new History(options.store.alertHistory);
  }

  /** What is pending or firing; with `all`, also what was resolved and has not come again. In order of devices, then servers. */
  *list({ all = false }: { all?: boolean } = {}): Generator<StoredAlert[]> {
    const { store, index } = this.#options;
    for (const rows of pagesOf(store.alertStates, { all })) {
      const isDown = this.#isDown();
      yield rows
        .flatMap(({ kind, name, states }) =>
          Object.entries(states.rules).map(([rule, entry]) =>
            storedAlert({ kind, name }, rule, entry, index().get(rule), isDown),
          ),
        )
        .filter(({ state }) => all || state !== 'resolved');
    }
  }

  /** What fires of that which this receiver was told of, as notices: for receivers that forget an alert unless it is told again. */
  *firing(receiver: string): Generator<AlertNotice[]> {
    for (const rows of pagesOf(this.#options.store.alertStates)) {
      yield rows.flatMap(({ kind, name, states, device }) =>
        Object.entries(states.rules).flatMap(([rule, entry]) => {
          const change = firingChange(rule, entry);
          if (change === null || !change.alert.told.includes(receiver)) return [];
          return noticeOf(change, { kind, name }, device?.organization ?? null, change.alert.firing_since_ms);
        }),
      );
    }
  }

  /** Every rule that is about the device, in the order of the settings; null when there is no such device. */
  explain(device: string): ExplainedRule[] | null {
    const { store, index } = this.#options;
    const row = store.alertStates.device(device);
    if (row === null) return null;
    const stateOf = (rule: string) => row.states.rules[rule] ?? null;
    const isDown = this.#isDown();
    return index()
      .about(row)
      .map((rule) =>
        explainedRule({ kind: 'device', name: device }, rule, stateOf(rule.name), {
          ...this.#history.past(device, rule),
          isDown,
        }),
      );
  }

  /**
   * When a rule would have fired on what is stored since then, one device or server at a time. Neither servers that were down nor confirming
   * runs hold anything.
   */
  *replay(settings: AlertSettings, since_ms: number): Generator<ReplayedAlert[]> {
    const rule = compiled(settings);
    if (rule.subject === 'server') {
      const { server } = rule.where;
      for (const name of server === null ? this.#options.settings().servers.keys() : [server]) {
        yield this.#history.replayServer(rule, name, since_ms);
      }
      return;
    }
    const only = new RuleIndex([settings]);
    for (const device of this.#options.store.devices.list()) {
      if (only.about(device).length > 0) yield this.#history.replayDevice(rule, device.device, since_ms);
    }
  }

  #fires(subject: Subject): boolean {
    const { rules } = this.#options.store.alertStates.get(subject);
    return Object.values(rules).some(({ state }) => state === 'firing');
  }

  /** As it is now, looked up once for each server. */
  #isDown(): IsDown {
    const known = new Map<string, boolean>();
    return (server) => {
      const isDown = known.get(server) ?? this.#fires({ kind: 'server', name: server });
      known.set(server, isDown);
      return isDown;
    };
  }
}
