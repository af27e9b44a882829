import { randomBytes } from 'node:crypto';
import type { Clock } from '../../broker/clock.ts';
import type { Alerts } from '../alerts/alerts.ts';
import type { AlertOutcome } from '../alerts/write.ts';
import type {
  Credentials,
  DeviceDetails,
  DevicesAdded,
  DevicesChecked,
  DeviceToCheck,
  DeviceView,
  NewDevice,
} from '../api/device-views.ts';
import { refusal } from '../api/refusal.ts';
import type { Answer, DeviceService } from '../api/service.ts';
import type { Settings } from '../config/settings.ts';
import type { Routes } from '../drivers/routes.ts';
import { checkOfRun } from '../runs/check-of-run.ts';
import type { Dispatcher } from '../runs/dispatcher.ts';
import type { Reach } from '../runs/reach.ts';
import { monthStart } from '../schedule/calendar.ts';
import type { Slots } from '../slots/slots.ts';
import type { DeviceRow, NewDevice as StoredDevice } from '../store/devices.ts';
import { StoreError } from '../store/errors.ts';
import { hashPassword, newPassword } from '../store/password.ts';
import type { Store } from '../store/store.ts';
import { sshView } from './host-key-desk.ts';
import { newDeviceProblems, sshUser } from './new-device-problems.ts';
import { Places } from './places.ts';
import { installLines, uciLines } from './uci-lines.ts';
import { unknownDevice } from './unknown.ts';

export interface DeviceDeskOptions {
  settings: () => Settings;
  store: Pick<Store, 'devices' | 'runs' | 'moved' | 'atomically'>;
  slots: Pick<Slots, 'isOnline'>;
  routes: Pick<Routes, 'of'>;
  /** Is told of devices that came or went, and whose SSH settings changed. */
  reach: Pick<Reach, 'look' | 'removed'>;
  dispatcher: Pick<Dispatcher, 'cancel' | 'later'>;
  alerts: Pick<Alerts, 'removeDevice'>;
  onAlerts: (outcome: AlertOutcome) => void;
  clock: Pick<Clock, 'wall'>;
  /** Where agents find the broker. */
  brokerUrl: () => string;
  /** Ends the connections of a device that was removed. */
  disconnect: (device: string) => void;
}

/** So many devices are looked at in one turn of the event loop: some 30 ms. */
const LOOKED_AT_ONCE = 250;

/** Devices as the HTTP API offers them. */
export class DeviceDesk implements DeviceService {
  readonly #options: DeviceDeskOptions;

  constructor(options: DeviceDeskOptions) {
    this.#options = options;
  }

  list(): DeviceView[] {
    return this.#options.store.devices.list().map((row) => this.#view(row));
  }

  get(device: string): Answer<DeviceDetails> {
    const { store, settings, clock } = this.#options;
    const row = store.devices.get(device);
    if (row === null) return unknownDevice(device);
    const { monthly_budget, timezone } = checkOfRun(row, settings(), store);
    const moved_this_month = store.moved.since(device, monthStart(clock.wall(), timezone));
    return {
      ok: true,
      value: { ...this.#view(row), ssh: row.ssh && sshView(row.ssh), moved_this_month, monthly_budget },
    };
  }

  /** Registers a device and issues its password, which is shown this once. */
  add(device: NewDevice): Answer<Credentials> {
    const { store, settings, reach, brokerUrl } = this.#options;
    const problems = newDeviceProblems(device, settings());
    if (device.ssh) problems.push(...new Places(settings(), store.devices.list()).take(device));
    if (problems.length > 0) return refusal('bad-request', `device ${device.device} can't be added`, problems);
    let password: string;
    try {
      password = this.#register(device);
    } catch (error) {
      if (!(error instanceof StoreError) || error.kind !== 'exists') throw error;
      return refusal('conflict', `device ${device.device} exists: remove it first to issue a new password`);
    }
    reach.look(device.device);
    const login = { device: device.device, username: device.device, password };
    const broker = brokerUrl();
    const uci = uciLines(device.device, password, broker);
    return { ok: true, value: { ...login, uci, install: installLines(broker) } };
  }

  check(devices: readonly DeviceToCheck[]): DevicesChecked {
    const { store, settings } = this.#options;
    const rows = store.devices.list();
    const registered = new Set(rows.map(({ device }) => device));
    const places = new Places(settings(), rows);
    const before = new Set<string>();
    const problems = devices.flatMap((device, index) => {
      const messages = [...newDeviceProblems(device, settings()), ...places.take(device)];
      if (registered.has(device.device)) messages.push('device: it is registered already');
      if (before.has(device.device)) messages.push('device: it stands here twice');
      before.add(device.device);
      return messages.map((message) => ({ index, message }));
    });
    return { problems };
  }

  addAll(devices: readonly NewDevice[]): Answer<DevicesAdded> {
    const { problems } = this.check(devices);
    if (problems.length > 0) {
      const said = problems.map(({ index, message }) => `devices.${index}: ${message}`);
      return refusal('bad-request', 'no device was added', said);
    }
    const added = this.#options.store.atomically(() =>
      devices.map((device) => ({
        device: device.device,
        username: device.device,
        password: this.#register(device),
      })),
    );
    this.#lookAt(added.map(({ device }) => device));
    return { ok: true, value: { devices: added } };
  }

  /** The device's credentials stop working, its runs are cancelled, its stored runs stay. */
  remove(device: string): Answer<{ device: string }> {
    const { store, dispatcher, reach, alerts, onAlerts, clock, disconnect } = this.#options;
    if (store.devices.get(device) === null) return unknownDevice(device);
    for (const run of store.runs.openOf(device)) dispatcher.cancel(run, 'the device was removed');
    store.atomically(() => {
      onAlerts(alerts.removeDevice(device, clock.wall()));
      store.devices.remove(device);
    });
    reach.removed(device);
    disconnect(device);
    return { ok: true, value: { device } };
  }

  /** The first ones now, the others in turns of the event loop: thousands of them would keep it for a second. */
  #lookAt(devices: readonly string[]): void {
    const { reach, dispatcher } = this.#options;
    for (const device of devices.slice(0, LOOKED_AT_ONCE)) reach.look(device);
    const rest = devices.slice(LOOKED_AT_ONCE);
    if (rest.length > 0) dispatcher.later(() => this.#lookAt(rest));
  }

  /** Stores a device without problems; its new password. */
  #register({ ssh, ...device }: NewDevice): string {
    const password = newPassword(randomBytes);
    const login = ssh && sshUser(device.organization, ssh, this.#options.settings());
    const stored: StoredDevice = login && 'user' in login ? { ...device, ssh: { ...ssh, ...login } } : device;
    this.#options.store.devices.add(stored, hashPassword(password, randomBytes(16)));
    return password;
  }

  #view(row: DeviceRow): DeviceView {
    const { slots, routes } = this.#options;
    const { device, organization, tags, uplink_group, agent, iperf3, last_run_ms } = row;
    const last_run = last_run_ms === null ? null : new Date(last_run_ms).toISOString();
    return {
      device,
      organization,
      tags,
      uplink_group,
      via: routes.of(device),
      online: slots.isOnline(device),
      agent,
      iperf3,
      last_run,
    };
  }
}
