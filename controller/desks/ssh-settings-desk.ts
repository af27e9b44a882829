import type { Clock } from '../../broker/clock.ts';
import type { Alerts } from '../alerts/alerts.ts';
import type { AlertOutcome } from '../alerts/write.ts';
import type { Problem } from '../api/problem.ts';
import { refusal } from '../api/refusal.ts';
import type { Answer, SshSettingsService } from '../api/service.ts';
import type { NewSsh, SshView } from '../api/ssh-views.ts';
import type { Settings } from '../config/settings.ts';
import type { Routes } from '../drivers/routes.ts';
import type { Reach } from '../runs/reach.ts';
import type { Slots } from '../slots/slots.ts';
import type { Store } from '../store/store.ts';
import { sshView } from './host-key-desk.ts';
import { sshUser } from './new-device-problems.ts';
import { Places } from './places.ts';
import { unknownDevice } from './unknown.ts';

export interface SshSettingsDeskOptions {
  settings: () => Settings;
  store: Pick<Store, 'devices' | 'atomically'>;
  slots: Pick<Slots, 'sightOf'>;
  routes: Pick<Routes, 'of'>;
  /** Is told of devices whose SSH settings came, changed or went. */
  reach: Pick<Reach, 'look'>;
  alerts: Pick<Alerts, 'trustDevice'>;
  onAlerts: (outcome: AlertOutcome) => void;
  clock: Pick<Clock, 'wall'>;
}

/** How registered devices are reached over SSH, as the HTTP API changes it. */
export class SshSettingsDesk implements SshSettingsService {
  readonly #options: SshSettingsDeskOptions;

  constructor(options: SshSettingsDeskOptions) {
    this.#options = options;
  }

  set(device: string, ssh: NewSsh): Answer<SshView> {
    const { settings, store, reach, alerts, onAlerts, clock } = this.#options;
    const row = store.devices.get(device);
    if (row === null) return unknownDevice(device);
    const { organization } = row;
    const login = sshUser(organization, ssh, settings());
    const problems = new Places(settings(), store.devices.list()).take({ device, organization, ssh });
    if ('problem' in login) problems.push(login.problem);
    if ('problem' in login || problems.length > 0)
      return refusal('bad-request', `device ${device} can't be reached so over SSH`, problems);
    const busy = this.#busy(device);
    if (busy !== null) return busy;
    const settled = { ...ssh, ...login };
    store.atomically(() => {
      store.devices.setSsh(device, settled);
      onAlerts(alerts.trustDevice(device, clock.wall()));
    });
    reach.look(device);
    return { ok: true, value: sshView(settled) };
  }

  clear(device: string): Answer<{ device: string }> {
    const { store, reach } = this.#options;
    if (store.devices.get(device) === null) return unknownDevice(device);
    const busy = this.#busy(device);
    if (busy !== null) return busy;
    store.devices.setSsh(device, null);
    reach.look(device);
    return { ok: true, value: { device } };
  }

  /** While a run is under way over SSH nobody else could say that its iperf3 has ended. */
  #busy(device: string): { ok: false; problem: Problem } | null {
    const { slots, routes } = this.#options;
    if (slots.sightOf(device)?.engaged !== true || routes.of(device) !== 'ssh') return null;
    return refusal('conflict', `a run of ${device} is under way over SSH: try again when it is over, or cancel it`);
  }
}
