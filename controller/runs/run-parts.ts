import type { Clock } from '../../broker/clock.ts';
import type { Log } from '../../broker/log.ts';
import { Alerts } from '../alerts/alerts.ts';
import type { AlertOutcome } from '../alerts/write.ts';
import { DEFAULT_CHECK } from '../config/check-section.ts';
import type { Settings } from '../config/settings.ts';
import type { Driver } from '../drivers/driver.ts';
import type { MqttDriver } from '../drivers/mqtt.ts';
import { RoutedDriver } from '../drivers/routed.ts';
import { Routes } from '../drivers/routes.ts';
import { checkOf } from '../schedule/check-of.ts';
import type { Slots } from '../slots/slots.ts';
import type { Store } from '../store/store.ts';
import { Checks } from './checks.ts';
import { Dispatcher } from './dispatcher.ts';
import { Gate } from './gate.ts';
import { Housekeeping } from './housekeeping.ts';
import { Inbox } from './inbox.ts';
import { MaintenanceWatch } from './maintenance-watch.ts';
import { Nights } from './nights.ts';
import { ProgressBoard } from './progress.ts';
import { Reach } from './reach.ts';
import { Retests } from './retests.ts';
import { Settlement } from './settlement.ts';
import { Suppressing } from './suppressing.ts';

/** What all that carries decisions out is made of. */
export interface RunSurroundings {
  settings: () => Settings;
  store: Store;
  slots: Slots;
  drivers: { agent: MqttDriver; ssh: Driver };
  /** The random id of this start of the controller. */
  boot: string;
  clock: Clock;
  random: () => number;
  log: Log;
  /** For what devices can bring about as often as they like. */
  aboutDevices: Log;
  /** Whether points are to be queued for InfluxDB. */
  influx: boolean;
  /** Called when rows were added for InfluxDB. */
  onPoints: () => void;
  /** Called in the transaction that brought it about, when there may be notices to deliver: to be done after it. */
  onNotices: () => void;
  onFatal: (error: Error) => void;
}

/** All that carries out what schedule, slots and results decide. */
export interface RunParts {
  alerts: Alerts;
  /** What an outcome of `alerts` brings about: confirming runs are ordered, notices delivered. To be called in its transaction, if it can be. */
  onAlerts: (outcome: AlertOutcome) => void;
  board: ProgressBoard;
  checks: Checks;
  dispatcher: Dispatcher;
  inbox: Inbox;
  nights: Nights;
  reach: Reach;
  routes: Routes;
  suppressing: Suppressing;
  maintenance: MaintenanceWatch;
  housekeeping: Housekeeping;
}

/** Makes the parts and puts them together. Starts nothing. */
export const runParts = (around: RunSurroundings): RunParts => {
  const { settings, store, slots, drivers, boot, random, aboutDevices, onNotices } = around;
  const alerts = new Alerts(around);
  const retests = new Retests({
    ...around,
    alerts,
    submit: (run) => dispatcher.later(() => dispatcher.keep(() => dispatcher.submit(run))),
  });
  const onAlerts = ({ notices, retests: wanted }: AlertOutcome): void => {
    retests.order(wanted);
    if (notices > 0) onNotices();
  };
  const settlement = new Settlement({
    ...around,
    alerts,
    onAlerts,
    checkOf: (organization, tags) => {
      const known = settings().organizations.get(organization);
      return known === undefined ? { ...DEFAULT_CHECK, retries: 0 } : checkOf(known, tags);
    },
    random,
    log: aboutDevices,
  });
  const board = new ProgressBoard();
  const checks = new Checks(around.clock);
  const hasSsh = (device: string) => (store.devices.get(device)?.ssh ?? null) !== null;
  const routes = new Routes({ slots, hasSsh, boot });
  const driver = new RoutedDriver(drivers, routes);
  const shared = { ...around, alerts, onAlerts, settlement, board, checks, routes, driver, gate: new Gate(around) };
  const dispatcher = new Dispatcher({ ...shared, onStep: () => reach.afterStep() });
  const reach = new Reach({ ...shared, dispatcher });
  return {
    alerts,
    onAlerts,
    board,
    checks,
    dispatcher,
    inbox: new Inbox({ ...shared, dispatcher, reach }),
    reach,
    routes,
    nights: new Nights({ ...shared, submit: (run: string) => dispatcher.submit(run) }),
    suppressing: new Suppressing({ ...shared, dispatcher }),
    maintenance: new MaintenanceWatch({ ...shared, handle: (event) => dispatcher.handle(event) }),
    housekeeping: new Housekeeping({ ...shared, retention: () => settings().retention }),
  };
};

/** Takes up what is on disk, and what holds by the clock, before anything is granted. */
export const startRuns = ({ dispatcher, suppressing, maintenance }: RunParts): void => {
  dispatcher.recover();
  suppressing.start();
  maintenance.look();
};

/** Nothing new is planned, granted or taken in. Whoever was not started is left alone. */
export const stopRuns = ({ dispatcher, nights, suppressing, maintenance, housekeeping }: RunParts): void => {
  for (const watch of [nights, suppressing, maintenance, housekeeping]) watch.stop();
  dispatcher.stop();
};
