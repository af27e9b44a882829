import type { Clock } from '../../broker/clock.ts';
import type { Inbound } from '../../broker/contract/inbound.ts';
import type { SlotStatus } from '../../broker/contract/messages.ts';
import type { Log } from '../../broker/log.ts';
import type { Settings } from '../config/settings.ts';
import type { RoutedDriver } from '../drivers/routed.ts';
import type { Routes, Via } from '../drivers/routes.ts';
import { testsOf } from '../schedule/check-of.ts';
import type { RunRow } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Reach } from './reach.ts';
import { ResultIntake, type ResultMessage } from './result-intake.ts';
import type { Settlement } from './settlement.ts';
import { strangerRest } from './stranger.ts';

export interface InboxOptions {
  settings: () => Settings;
  store: Store;
  driver: RoutedDriver;
  routes: Pick<Routes, 'hears'>;
  reach: Pick<Reach, 'status'>;
  settlement: Settlement;
  dispatcher: Dispatcher;
  clock: Clock;
  log: Log;
  /** Called when rows were added for InfluxDB. */
  onPoints: () => void;
}

/** What agents say, and what the broker remembers, made into events for the slots, and results settled and accepted. */
export class Inbox {
  readonly #options: InboxOptions;
  readonly #results: ResultIntake;

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#results = new ResultIntake(options);
  }

  /** A message from a device's agent, or from what stands in for one over SSH; the retained ones tell who is online. */
  message(message: Inbound, via: Via = 'agent'): void {
    this.#options.dispatcher.keep(() => {
      if (message.kind === 'status') this.#status(message, via);
      else if (message.kind === 'event') this.#event(message, via);
      else if (message.kind === 'result' || message.kind === 'unreadable-result') this.#result(message, via);
    });
  }

  /** A slot that the broker remembers from before: ours, or that of a controller whose client may still be running. */
  retainedSlot(server: string, slot: SlotStatus): void {
    const { store, settings, dispatcher, log } = this.#options;
    dispatcher.keep(() => {
      const plans = [...settings().organizations.values()].flatMap(testsOf);
      const rest_ms = strangerRest(slot, plans);
      if (rest_ms === null || store.runs.get(slot.run ?? '') !== null) return;
      log.warn({ server, run: slot.run, rest_ms }, 'another controller held this slot; the server rests');
      dispatcher.handle({ type: 'stranger', server, rest_ms });
    });
  }

  /** Over SSH it tells what is on the device, not who is there: that is what the routes decide. */
  #status({ device, payload }: Extract<Inbound, { kind: 'status' }>, via: Via): void {
    const { store, reach, clock } = this.#options;
    if (store.devices.get(device) === null) return;
    const { online, boot, host, iperf3 } = payload;
    const agent = via === 'agent' ? payload.agent : null;
    if (online) store.deferred(() => store.devices.noteAgent(device, { agent, host, iperf3, at_ms: clock.wall() }));
    if (via === 'agent') reach.status(device, online, boot);
  }

  #event({ device, payload }: Extract<Inbound, { kind: 'event' }>, via: Via): void {
    const { dispatcher, routes, driver } = this.#options;
    if (payload.type === 'finished') {
      // A server waits: the slots know its token, and the store is looked into afterwards.
      dispatcher.handle({ ...payload, device });
      dispatcher.later(() => dispatcher.keep(() => this.#runOf(device, payload.run, via)));
      return;
    }
    if (!routes.hears(device, via, payload.boot)) {
      if (payload.type === 'ready') driver.over(via).cancel(device, payload.run, 'not expected now');
      return;
    }
    if (payload.type === 'ready') dispatcher.catchUp(payload.run);
    const run = this.#runOf(device, payload.run, via);
    // A late one: what its agent has by now is the result, and a cancel would make it forget that.
    if (run === null || (payload.type === 'ready' && run.awaits_result)) return;
    dispatcher.handle({ ...payload, device });
  }

  /** Null, and its agent is told to forget it, when the device has no such run. */
  #runOf(device: string, id: string, via: Via): RunRow | null {
    const { store, driver } = this.#options;
    const run = store.runs.get(id);
    if (run?.device === device) return run;
    driver.over(via).cancel(device, id, 'unknown run');
    return null;
  }

  /** The slot passes on first, the result is stored next, and only then may the agent forget it. */
  #result(message: ResultMessage, via: Via): void {
    const { device, payload } = message;
    const { run, token } = payload;
    const { dispatcher, driver } = this.#options;
    dispatcher.handle({ type: 'finished', device, run, token });
    this.#results.add({ message, accept: () => driver.over(via).accepted(device, run, token) });
  }
}
