import type { Service } from './api/service.ts';
import type { StatusView } from './api/status-view.ts';
import { AlertDesk, type AlertDeskOptions } from './desks/alert-desk.ts';
import { DeviceDesk, type DeviceDeskOptions } from './desks/device-desk.ts';
import { HostKeyDesk, type HostKeyDeskOptions } from './desks/host-key-desk.ts';
import { InfluxDesk, type InfluxDeskOptions } from './desks/influx-desk.ts';
import { KillSwitch, type KillSwitchOptions } from './desks/kill-switch.ts';
import { ReceiverDesk, type ReceiverDeskOptions } from './desks/receiver-desk.ts';
import { RunDesk, type RunDeskOptions } from './desks/run-desk.ts';
import { ServerDesk, type ServerDeskOptions } from './desks/server-desk.ts';
import { SshSettingsDesk, type SshSettingsDeskOptions } from './desks/ssh-settings-desk.ts';

/** What all desks need, and what only the running controller knows about itself. */
export type FleetOptions = DeviceDeskOptions &
  HostKeyDeskOptions &
  SshSettingsDeskOptions &
  ServerDeskOptions &
  RunDeskOptions &
  KillSwitchOptions &
  AlertDeskOptions &
  ReceiverDeskOptions &
  InfluxDeskOptions & {
    health: () => Pick<
      StatusView,
      'version' | 'in_charge' | 'broker_connected' | 'messages_dropped' | 'broker' | 'influx'
    >;
  };

/** The fleet as the HTTP API offers it: a desk for each subject. */
export class Fleet implements Service {
  readonly devices: DeviceDesk;
  readonly hostKeys: HostKeyDesk;
  readonly sshSettings: SshSettingsDesk;
  readonly servers: ServerDesk;
  readonly runs: RunDesk;
  readonly suppressions: KillSwitch;
  readonly alerts: AlertDesk;
  readonly receivers: ReceiverDesk;
  readonly influx: InfluxDesk;
  readonly #options: FleetOptions;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.devices = new DeviceDesk(options);
    this.hostKeys = new HostKeyDesk(options);
    this.sshSettings = new SshSettingsDesk(options);
    this.servers = new ServerDesk(options);
    this.runs = new RunDesk(options);
    this.suppressions = new KillSwitch(options);
    this.alerts = new AlertDesk(options);
    this.receivers = new ReceiverDesk(options);
    this.influx = new InfluxDesk(options);
  }

  status(): StatusView {
    const { store, slots, health } = this.#options;
    const devices = store.devices.list();
    return {
      ...health(),
      devices: devices.length,
      devices_online: devices.filter(({ device }) => slots.isOnline(device)).length,
      runs_open: store.runs.countOpen(),
      suppressions: this.suppressions.list().length,
      receivers: this.receivers.list(),
    };
  }
}
