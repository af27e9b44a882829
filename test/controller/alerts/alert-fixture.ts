import { onTestFinished } from 'vitest';
import { Alerts } from '../../../controller/alerts/alerts.ts';
import { AlertNotice } from '../../../controller/alerts/notice.ts';
import type { StoredAlert } from '../../../controller/alerts/stored-alert.ts';
import type { AlertOutcome, AlertWrite } from '../../../controller/alerts/write.ts';
import type { AlertSettings, Settings } from '../../../controller/config/settings.ts';
import { Store } from '../../../controller/store/store.ts';
import { alertWorld } from '../../helpers/alert-world.ts';
import { temporaryFolder } from '../../helpers/controller-fixture.ts';

/** A real store with devices, and rules. `notices` reads what receivers are to be told. */
export class AlertFixture {
  readonly store: Store;
  readonly alerts: Alerts;
  settings: Settings;
  readonly told: AlertNotice[] = [];

  constructor(alerts: AlertSettings[], devices: readonly string[] = ['ap-1', 'ap-2', 'ap-3', 'ap-4']) {
    this.store = Store.open(temporaryFolder());
    onTestFinished(() => this.store.close());
    this.settings = alertWorld({ alerts });
    for (const device of devices) this.add(device);
    const { store } = this;
    const add = store.notices.add.bind(store.notices);
    store.notices.add = (receivers, notice) => {
      for (const _ of receivers) this.told.push(AlertNotice.parse(notice));
      add(receivers, notice);
    };
    this.alerts = new Alerts({ settings: () => this.settings, store });
  }

  add(device: string, more: { tags?: string[]; uplink_group?: string | null } = {}): void {
    const row = { device, organization: 'organization-0', tags: [], uplink_group: null, ...more };
    this.store.devices.add(row, 'no password');
  }

  /** All of them, each in a transaction. Returns what people were told meanwhile, in short: `firing slow ap-1`. */
  write(...writes: AlertWrite[]): string[] {
    return this.toldBy(() => {
      for (const one of writes) this.store.atomically(() => this.evaluate(one));
    });
  }

  /** As the settlement does it: first the result is stored. */
  evaluate(write: AlertWrite): AlertOutcome {
    const { run, token, device, at_ms } = write;
    if (token !== null) {
      this.store.moved.note({ token, run, device, at_ms, bytes: 0 });
      this.store.moved.correct(token, 1000);
    }
    return this.alerts.evaluate(write);
  }

  list(filter: { all?: boolean } = {}): StoredAlert[] {
    return [...this.alerts.reading.list(filter)].flat();
  }

  firing(receiver: string): AlertNotice[] {
    return [...this.alerts.reading.firing(receiver)].flat();
  }

  toldBy(work: () => unknown): string[] {
    const before = this.told.length;
    work();
    return this.told.slice(before).map(({ state, rule, subject }) => `${state} ${rule} ${subject.name}`);
  }

  /** The settings change, and are taken into force. */
  reload(changes: Partial<Settings>, now_ms: number): string[] {
    this.settings = { ...this.settings, ...changes };
    return this.toldBy(() => this.alerts.configure(now_ms));
  }
}
