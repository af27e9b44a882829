import { randomBytes } from 'node:crypto';
import { EmbeddedBroker } from '../broker/broker.ts';
import { MqttLink } from '../broker/client.ts';
import type { Clock } from '../broker/clock.ts';
import type { Inbound } from '../broker/contract/inbound.ts';
import type { ControllerStatus } from '../broker/contract/messages.ts';
import { controllerTopic } from '../broker/contract/topics.ts';
import type { Log } from '../broker/log.ts';
import { createApi } from './api/app.ts';
import { ApiServer } from './api/server.ts';
import { Authenticator, CONTROLLER_USER } from './authenticator.ts';
import { Charge } from './charge.ts';
import type { Settings } from './config/settings.ts';
import { MqttDriver } from './drivers/mqtt.ts';
import { Fleet } from './fleet.ts';
import { OutboxDrain } from './influx/drain.ts';
import { makeWriter } from './influx/writer.ts';
import { Dispatcher } from './runs/dispatcher.ts';
import { Nights } from './runs/nights.ts';
import { OverdueRuns } from './runs/overdue.ts';
import { ProgressBoard } from './runs/progress.ts';
import { Settlement } from './runs/settlement.ts';
import { strangerRest } from './runs/stranger.ts';
import { Slots } from './slots/slots.ts';
import { Store } from './store/store.ts';

export interface ControllerOptions {
  settings: Settings;
  version: string;
  clock: Clock;
  random: () => number;
  log: Log;
  /** The controller can't go on: a store that can't be written, another controller on the broker. It is to be stopped. */
  onFatal: (error: Error) => void;
}

/** What the controller listens to. */
const FILTERS = [
  'perfleet/1/device/+/status',
  'perfleet/1/device/+/event',
  'perfleet/1/device/+/result/+',
  'perfleet/1/server/+/slot',
  controllerTopic(),
];

/** The whole controller: built by the constructor, run by `start()`, and over after `stop()`, within some seconds whatever happens. */
export class Controller {
}
