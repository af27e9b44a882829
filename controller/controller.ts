import { randomBytes } from 'node:crypto';
import { EmbeddedBroker } from '../broker/broker.ts';
import { MqttLink } from '../broker/client.ts';
import type { Clock } from '../broker/clock.ts';
import type { Inbound } from '../broker/contract/inbound.ts';
import { controllerTopic } from '../broker/contract/topics.ts';
import type { Log } from '../broker/log.ts';
import { createApi } from './api/app.ts';
import { ApiServer } from './api/server.ts';
import { authenticateDevices } from './authenticator.ts';
import { Charge } from './charge.ts';
import { restartNeeded } from './config/restart-needed.ts';
import type { Settings } from './config/settings.ts';
import { MqttDriver } from './drivers/mqtt.ts';
import { Fleet } from './fleet.ts';
import type { OutboxDrain } from './influx/drain.ts';
import { influxDrain } from './influx/influx-drain.ts';
import { limitedLog } from './limited-log.ts';
import { Dispatcher } from './runs/dispatcher.ts';
import { Nights } from './runs/nights.ts';
import { OverdueRuns } from './runs/overdue.ts';
import { ProgressBoard } from './runs/progress.ts';
import { Settlement } from './runs/settlement.ts';
import { strangerRest } from './runs/stranger.ts';
import { rescheduled } from './schedule/night.ts';
import { Slots } from './slots/slots.ts';
import { Store } from './store/store.ts';

export interface ControllerOptions {
  settings: Settings;
  version: string;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  log: Log;
  /** The controller can't go on: its store can't be written, or another controller is on the broker. It is to be stopped. */
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

/** All parts of a running controller; made anew by each `start()`. */
interface Parts {
  store: Store;
  broker: EmbeddedBroker | null;
  link: MqttLink;
  charge: Charge;
  slots: Slots;
  fleet: Fleet;
  dispatcher: Dispatcher;
  nights: Nights;
  overdue: OverdueRuns;
  drain: OutboxDrain | null;
  api: ApiServer;
}

/**
 * The whole controller. `start()` opens the store, the broker, the API and everything in between, or leaves nothing behind and
 * rejects with what to do. `stop()` is over within 10 s: nothing new is granted, what runs on devices goes on, and is asked for
 * again by the next start.
 */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #boot = randomBytes(8).toString('hex');
  #settings: Settings;
  #parts: Parts | null = null;
  #fatal = false;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#settings = options.settings;
  }

  /** Where it listens, after `start()`: 0 in the settings takes a free port. `mqtt_port` is null with an external broker. */
  async start(): Promise<{ http_port: number; mqtt_port: number | null }> {
    const started: (() => unknown)[] = [];
    try {
      return await this.#start(started);
    } catch (error) {
      for (const undo of started.reverse()) await undo();
      throw error;
    }
  }

  async #start(started: (() => unknown)[]): Promise<{ http_port: number; mqtt_port: number | null }> {
    const { clock, log, random } = this.#options;
    const store = Store.open(this.#settings.store);
    started.push(() => store.close());
    const broker = this.#makeBroker(store);
    const mqtt_port = broker === null ? null : (await broker.start()).port;
    if (broker !== null) started.push(() => broker.stop());

    const link = this.#makeLink(broker);
    const aboutDevices = limitedLog(log, clock);
    const driver = new MqttDriver(link, aboutDevices);
    const charge = new Charge({
      link,
      clock,
      own: { online: true, boot: this.#boot, version: this.#options.version },
      onChange: (in_charge) => this.#onCharge(in_charge),
      onYield: (boot) =>
        this.#fail(new Error(`another controller (boot ${boot}) is in charge on this broker: stop it first`)),
    });
    const slots = new Slots({
      servers: [...this.#settings.servers.values()],
      host_groups: this.#settings.host_groups,
      uplink_groups: this.#settings.uplink_groups,
      last_token: store.leases.lastToken(),
    });
    const drain = influxDrain(this.#settings.influx, { outbox: store.outbox, clock, random, log });
    const settings = () => this.#settings;
    const onFatal = (error: Error) => this.#fail(error);
    const settlement = new Settlement({
      store,
      influx: drain !== null,
      retriesOf: (organization) => this.#settings.organizations.get(organization)?.check.retries ?? 0,
      random,
      log: aboutDevices,
    });
    const board = new ProgressBoard();
    const onPoints = () => drain?.kick();
    const shared = { settings, store, slots, driver, settlement, board, clock, log, onFatal, onPoints };
    const dispatcher = new Dispatcher(shared);
    const nights = new Nights({ ...shared, submit: (run) => dispatcher.submit(run) });
    const overdue = new OverdueRuns(shared);
    const fleet = new Fleet({
      ...shared,
      dispatcher,
      health: () => ({
        version: this.#options.version,
        in_charge: charge.in_charge,
        broker_connected: link.connected,
        messages_dropped: driver.dropped,
        influx: drain?.status() ?? null,
      }),
      brokerUrl: () => brokerUrl(this.#settings.broker, mqtt_port),
      disconnect: (device) => broker?.disconnect(device),
    });
    const { host, port, token } = this.#settings.http;
    const api = new ApiServer(createApi(fleet, { token, log, clock }), { host, port, clock });
    this.#parts = { store, broker, link, charge, slots, fleet, dispatcher, nights, overdue, drain, api };
    started.push(() => {
      this.#parts = null;
    });

    driver.onMessage((message, retained) => this.#hear(message, retained));
    link.subscribe(FILTERS);
    dispatcher.recover();
    started.push(() => dispatcher.stop());
    const { port: http_port } = await api.start();
    started.push(() => api.stop());
    link.start();
    drain?.start();
    nights.start();
    overdue.start();
    return { http_port, mqtt_port };
  }

  /** The fleet, while the controller runs. */
  get fleet(): Fleet {
    return this.#running().fleet;
  }

  /** Takes new settings into force. Returns what they change that only a restart can. Runs that are under way keep theirs. */
  reload(settings: Settings): string[] {
    const parts = this.#running();
    const { nights, slots, dispatcher, store } = parts;
    const before = this.#settings;
    const restart = restartNeeded(before, settings);
    const { broker, http, store: folder, influx } = before;
    this.#settings = { ...settings, broker, http, store: folder, influx };
    const now_ms = this.#options.clock.wall();
    store.nights.plan([], rescheduled(before.organizations, settings.organizations, store.nights.history(), now_ms));
    slots.configure({ ...settings, servers: [...settings.servers.values()] });
    dispatcher.handle({ type: 'tick' });
    nights.look();
    return restart;
  }

  async stop(): Promise<void> {
    const parts = this.#parts;
    if (parts === null) return;
    this.#parts = null;
    const { store, broker, link, charge, dispatcher, nights, overdue, drain, api } = parts;
    nights.stop();
    overdue.stop();
    dispatcher.stop();
    charge.stop();
    await api.stop();
    if (link.connected && !charge.yielded) {
      const leave = { online: false, boot: this.#boot, version: this.#options.version };
      await link.publish(controllerTopic(), leave, { retain: true }).catch(() => {});
    }
    await link.stop();
    await broker?.stop();
    await drain?.stop();
    store.close();
  }

  #running(): Parts {
    if (this.#parts === null) throw new Error('the controller is not running');
    return this.#parts;
  }

  #makeBroker(store: Store): EmbeddedBroker | null {
    const { broker } = this.#settings;
    if (broker.kind === 'external') return null;
    const { host, port, tls } = broker;
    const { log, clock } = this.#options;
    return new EmbeddedBroker({ host, port, tls, authenticate: authenticateDevices(store), log, clock });
  }

  #makeLink(broker: EmbeddedBroker | null): MqttLink {
    const settings = this.#settings.broker;
    const { clock, random, log, version } = this.#options;
    const payload = { online: false, boot: this.#boot, version };
    const shared = {
      clientId: `perfleet-controller-${this.#boot}`,
      will: { topic: controllerTopic(), payload, retain: true },
      clock,
      random,
      log,
    };
    if (settings.kind === 'external') {
      const { url, username, password, tls } = settings;
      const files = tls.ca === null && tls.cert === null && tls.key === null ? null : tls;
      return new MqttLink({ ...shared, url, username, password, tls: files });
    }
    if (broker === null) throw new Error('an embedded broker was not made');
    return new MqttLink({
      ...shared,
      url: null,
      stream: () => broker.open(),
      username: null,
      password: null,
      tls: null,
    });
  }

  #hear(message: Inbound, retained: boolean): void {
    const parts = this.#parts;
    if (parts === null) return;
    if (message.kind === 'controller') parts.charge.hear(message.payload);
    else if (message.kind === 'slot') {
      if (retained) this.#hearSlot(parts, message.server, message.payload);
    } else parts.dispatcher.message(message);
  }

  /** A retained slot from before: ours, or that of a controller whose client may still be running. */
  #hearSlot({ store, dispatcher }: Parts, server: string, slot: Extract<Inbound, { kind: 'slot' }>['payload']): void {
    const rest_ms = strangerRest(slot, this.#options.clock.wall());
    if (rest_ms === null || store.runs.get(slot.run ?? '') !== null) return;
    this.#options.log.warn({ server, run: slot.run, rest_ms }, 'another controller held this slot; the server rests');
    dispatcher.handle({ type: 'stranger', server, rest_ms });
  }

  #onCharge(in_charge: boolean): void {
    const parts = this.#parts;
    if (parts === null) return;
    this.#options.log.info(
      { in_charge },
      in_charge ? 'in charge: granting slots' : 'not in charge: granting nothing new',
    );
    if (in_charge) parts.dispatcher.showSlots();
    parts.dispatcher.handle({ type: 'in-charge', yes: in_charge });
  }

  /** Says it once: the first cause is the one that counts. */
  #fail(error: Error): void {
    if (this.#fatal) return;
    this.#fatal = true;
    this.#options.log.error({ error: error.message }, 'the controller has to stop');
    this.#options.onFatal(error);
  }
}

/** Where agents reach the broker; an address that means "all" is left for the operator to replace. */
const brokerUrl = (broker: Settings['broker'], port: number | null): string => {
  if (broker.kind === 'external') return broker.url;
  const scheme = broker.tls === null ? 'mqtt' : 'mqtts';
  const host = broker.host === '0.0.0.0' || broker.host === '::' ? 'CONTROLLER-ADDRESS' : broker.host;
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port ?? broker.port}`;
};
