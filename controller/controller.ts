import { randomBytes } from 'node:crypto';
import type { EmbeddedBroker } from '../broker/broker.ts';
import type { MqttLink } from '../broker/client.ts';
import type { Clock } from '../broker/clock.ts';
import type { Inbound } from '../broker/contract/inbound.ts';
import { controllerTopic } from '../broker/contract/topics.ts';
import type { Log } from '../broker/log.ts';
import { Deliveries } from './alerts/deliveries.ts';
import { noteReceivers } from './alerts/renamed-receivers.ts';
import { createApi } from './api/app.ts';
import { ApiServer } from './api/server.ts';
import { makeBroker } from './broker-connection.ts';
import { brokerUrl } from './broker-url.ts';
import { Charge } from './charge.ts';
import { restartNeeded } from './config/restart-needed.ts';
import type { Settings } from './config/settings.ts';
import { controllerLink } from './controller-link.ts';
import { MqttDriver } from './drivers/mqtt.ts';
import type { SshDriver } from './drivers/ssh/ssh-driver.ts';
import { Fleet } from './fleet.ts';
import { type InfluxDrain, influxDrain } from './influx/influx-drain.ts';
import { limitedLog } from './limited-log.ts';
import { makeSshDriver } from './make-ssh-driver.ts';
import { rehearse } from './rehearsal.ts';
import { type RunParts, runParts, startRuns, stopRuns } from './runs/run-parts.ts';
import { slotSettings } from './slot-settings.ts';
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
  /** How it comes by its broker, and reaches it; as the settings say unless given. */
  makeBroker?: typeof makeBroker;
}

/** All parts of a running controller; made anew by each `start()`. */
interface Parts {
  store: Store;
  broker: EmbeddedBroker | null;
  link: MqttLink;
  ssh: SshDriver;
  charge: Charge;
  slots: Slots;
  fleet: Fleet;
  runs: RunParts;
  influx: InfluxDrain | null;
  deliveries: Deliveries;
  api: ApiServer;
}

/**
 * The whole controller. `start()` opens the store, the broker, the API and everything in between, or leaves nothing behind and
 * rejects with what to do. `stop()` is over within 10 s: nothing new is granted, what agents run goes on, and is asked for again by the
 * next start. What runs over SSH is ended.
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
    rehearse(store);
    const connectTo = this.#options.makeBroker ?? makeBroker;
    const { broker, dial } = connectTo(this.#settings.broker, store, { clock, log });
    const mqtt_port = broker === null ? null : (await broker.start()).port;
    if (broker !== null) started.push(() => broker.stop());

    const { version } = this.#options;
    const own = { boot: this.#boot, version };
    const link = controllerLink(dial, { ...own, clock, random, log });
    const aboutDevices = limitedLog(log, clock);
    const agent = new MqttDriver(link, aboutDevices);
    const settings = () => this.#settings;
    const ssh = makeSshDriver(
      { store, settings },
      { ...own, clock, log: aboutDevices, onMessage: (message) => this.#parts?.runs.inbox.message(message, 'ssh') },
    );
    started.push(() => ssh.stop());
    const charge = new Charge({
      link,
      clock,
      own: { online: true, ...own },
      onChange: (in_charge) => this.#onCharge(in_charge),
      onYield: (boot) =>
        this.#fail(new Error(`another controller (boot ${boot}) is in charge on this broker: stop it first`)),
    });
    const last_token = store.leases.lastToken();
    const slots = new Slots({ ...slotSettings(this.#settings), last_token, random });
    const influx = influxDrain(this.#settings.influx, { outbox: store.outbox, clock, random, log });
    const deliveries = new Deliveries(this.#settings.receivers, {
      store,
      link: broker === null ? link : null,
      firing: (receiver) => this.#parts?.runs.alerts.reading.firing(receiver) ?? [],
      clock,
      random,
      log,
    });
    const shared = { settings, store, slots, drivers: { agent, ssh }, boot: this.#boot, clock, random, log };
    const runs = runParts({
      ...shared,
      aboutDevices,
      influx: influx !== null,
      onNotices: () => deliveries.kick(),
      onPoints: () => influx?.drain.kick(),
      onFatal: (error) => this.#fail(error),
    });
    const fleet = new Fleet({
      ...shared,
      ...runs,
      ssh,
      deliveries,
      drain: influx?.drain ?? null,
      health: () => ({
        version,
        in_charge: charge.in_charge,
        broker_connected: link.connected,
        messages_dropped: agent.dropped,
        broker: broker === null ? null : { ...broker.counters },
        influx: influx?.drain.status() ?? null,
      }),
      brokerUrl: () => brokerUrl(this.#settings.broker, mqtt_port ?? 0),
      disconnect: (device) => broker?.disconnect(device),
    });
    const { host, port, token } = this.#settings.http;
    const api = new ApiServer(createApi(fleet, { token, log, clock }), { host, port, clock });
    this.#parts = { store, broker, link, ssh, charge, slots, fleet, runs, influx, deliveries, api };
    started.push(() => {
      this.#parts = null;
    });

    agent.onMessage((message, retained) => this.#hear(message, retained));
    started.push(() => stopRuns(runs));
    noteReceivers(store, this.#settings.receivers, log);
    runs.onAlerts(runs.alerts.configure(clock.wall()));
    startRuns(runs);
    const { port: http_port } = await api.start();
    started.push(() => api.stop());
    link.start();
    deliveries.start();
    influx?.drain.start();
    void influx?.check();
    runs.nights.start();
    runs.housekeeping.start();
    return { http_port, mqtt_port };
  }

  /** The fleet, while the controller runs. */
  get fleet(): Fleet {
    return this.#running().fleet;
  }

  /** Takes new settings into force. Returns what they change that only a restart can. Runs that are under way keep theirs. */
  reload(settings: Settings): string[] {
    const parts = this.#running();
    const { deliveries, runs } = parts;
    const { dispatcher, nights, maintenance, housekeeping, alerts, onAlerts } = runs;
    const { broker, http, store, influx } = this.#settings;
    const restart = restartNeeded(this.#settings, settings);
    this.#settings = { ...settings, broker, http, store, influx };
    parts.slots.configure(slotSettings(settings));
    deliveries.configure(settings.receivers);
    onAlerts(alerts.configure(this.#options.clock.wall()));
    housekeeping.start();
    dispatcher.submitAnew();
    maintenance.look();
    nights.look();
    return restart;
  }

  async stop(): Promise<void> {
    const parts = this.#parts;
    if (parts === null) return;
    this.#parts = null;
    const { store, broker, link, ssh, charge, runs, influx, deliveries, api } = parts;
    for (const result of ssh.results) runs.inbox.message(result, 'ssh');
    stopRuns(runs);
    charge.stop();
    // Before the link, which notices may go through.
    await Promise.all([api.stop(), deliveries.stop(), ssh.stop()]);
    const payload = { online: false, boot: this.#boot, version: this.#options.version };
    await link.stop(
      charge.yielded || !link.connected ? undefined : { topic: controllerTopic(), payload, retain: true },
    );
    await broker?.stop();
    await influx?.drain.stop();
    store.close();
  }

  #running(): Parts {
    if (this.#parts === null) throw new Error('the controller is not running');
    return this.#parts;
  }

  #hear(message: Inbound, retained: boolean): void {
    const parts = this.#parts;
    if (parts === null) return;
    if (message.kind === 'controller') parts.charge.hear(message.payload, retained);
    else if (message.kind !== 'slot') parts.runs.inbox.message(message);
    else if (retained) parts.runs.inbox.retainedSlot(message.server, message.payload);
  }

  #onCharge(in_charge: boolean): void {
    const parts = this.#parts;
    if (parts === null) return;
    this.#options.log.info(
      { in_charge },
      in_charge ? 'in charge: granting slots' : 'not in charge: granting nothing new',
    );
    if (in_charge) parts.runs.dispatcher.showSlots();
    parts.runs.dispatcher.handle({ type: 'in-charge', yes: in_charge });
    parts.runs.reach.inCharge(in_charge);
  }

  /** Says it once: the first cause is the one that counts. */
  #fail(error: Error): void {
    if (this.#fatal) return;
    this.#fatal = true;
    this.#options.log.error({ error: error.message }, 'the controller has to stop');
    this.#options.onFatal(error);
  }
}
