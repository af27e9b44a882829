import type { Clock } from '../../broker/clock.ts';
import type { Alerts } from '../alerts/alerts.ts';
import type { AlertOutcome } from '../alerts/write.ts';
import { refusal } from '../api/refusal.ts';
import type { Answer, HostKeyService } from '../api/service.ts';
import type { HostKeyOrder, HostKeyView, SshView, Trust } from '../api/ssh-views.ts';
import type { Settings } from '../config/settings.ts';
import { readHostKey } from '../drivers/ssh/host-key.ts';
import type { SshDriver } from '../drivers/ssh/ssh-driver.ts';
import { SshFailure } from '../drivers/ssh/ssh-failure.ts';
import { sshCredentialsOf } from '../ssh-targets.ts';
import type { DeviceSsh } from '../store/devices.ts';
import type { Store } from '../store/store.ts';
import { unknownDevice } from './unknown.ts';

export interface HostKeyDeskOptions {
  settings: () => Settings;
  store: Pick<Store, 'devices' | 'atomically'>;
  alerts: Pick<Alerts, 'trustDevice'>;
  onAlerts: (outcome: AlertOutcome) => void;
  clock: Pick<Clock, 'wall'>;
  ssh: Pick<SshDriver, 'fetchHostKey'>;
}

/** What people see of how a device is reached over SSH: no secret is in it. */
export const sshView = (ssh: DeviceSsh): SshView => ({
  ...ssh,
  fingerprint: readHostKey(ssh.host_key)?.fingerprint ?? 'none: it is no host key',
});

/** Host keys as the HTTP API offers them. */
export class HostKeyDesk implements HostKeyService {
  readonly #options: HostKeyDeskOptions;

  constructor(options: HostKeyDeskOptions) {
    this.#options = options;
  }

  async fetch({ host, port, organization, credentials }: HostKeyOrder): Promise<Answer<HostKeyView>> {
    const { settings, ssh } = this.#options;
    const set = sshCredentialsOf(organization, credentials, settings());
    if (set instanceof SshFailure) return refusal('bad-request', set.message);
    try {
      return { ok: true, value: await ssh.fetchHostKey(host, port, set.proxy) };
    } catch (error) {
      if (!(error instanceof SshFailure)) throw error;
      return refusal('unavailable', error.message);
    }
  }

  trust(device: string, { host_key }: Trust): Answer<SshView> {
    const { store, alerts, onAlerts, clock } = this.#options;
    const row = store.devices.get(device);
    if (row === null) return unknownDevice(device);
    if (row.ssh === null) return refusal('conflict', `device ${device} has no SSH settings: only its agent reaches it`);
    store.atomically(() => {
      store.devices.pin(device, host_key);
      onAlerts(alerts.trustDevice(device, clock.wall()));
    });
    return { ok: true, value: sshView({ ...row.ssh, host_key }) };
  }
}
