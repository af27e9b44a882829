import type { Clock } from '../../broker/clock.ts';
import type { Inbound } from '../../broker/contract/inbound.ts';
import type { Log } from '../../broker/log.ts';
import { StoreError } from '../store/errors.ts';
import type { Store } from '../store/store.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { SettledResult, Settlement } from './settlement.ts';

/** What waits is written in one commit until this time has passed: a message that a server waits for is kept no longer. */
const TOGETHER_MS = 2;

export type ResultMessage = Extract<Inbound, { kind: 'result' | 'unreadable-result' }>;

export interface ResultIntakeOptions {
  store: Store;
  settlement: Settlement;
  dispatcher: Pick<Dispatcher, 'severalLater' | 'keep' | 'handle' | 'followUp'>;
  clock: Clock;
  log: Log;
  /** Called when rows were added for InfluxDB. */
  onPoints: () => void;
}

/** A result, and how to tell its agent that it is safe here. */
export interface Arrival {
  message: ResultMessage;
  accept: () => void;
}

/**
 * Results of devices, in the order in which they came, when what was sent before is on its way. Those that wait share a commit, each in it in
 * full or not at all; those in it share the wait for the disk, and only then may their agents forget them.
 */
export class ResultIntake {
  readonly #options: ResultIntakeOptions;
  readonly add: (arrival: Arrival) => void;

  constructor(options: ResultIntakeOptions) {
    this.#options = options;
    this.add = options.dispatcher.severalLater((arrivals: readonly Arrival[]) => this.#take(arrivals));
  }

  /** As many as there is time for; how many. */
  #take(arrivals: readonly Arrival[]): number {
    const { store, clock } = this.#options;
    const until_ms = clock.now() + TOGETHER_MS;
    const written: { arrival: Arrival; result: SettledResult }[] = [];
    let taken = 0;
    try {
      store.deferred(() => {
        for (const arrival of arrivals) {
          const part = store.part(() => this.#settle(arrival.message));
          if (part.ok) written.push({ arrival, result: part.value });
          else this.#complain(arrival, part.error);
          taken += 1;
          if (clock.now() >= until_ms) break;
        }
      });
    } catch (error) {
      // The next ones would fare no better.
      for (const arrival of arrivals) this.#complain(arrival, error);
      return arrivals.length;
    }
    this.#accept(written.map(({ arrival }) => arrival));
    for (const { arrival, result } of written) this.#followUp(arrival.message, result);
    return taken;
  }

  #settle(message: ResultMessage): SettledResult {
    const { settlement, clock } = this.#options;
    const { device, payload } = message;
    if (message.kind === 'result') return settlement.result(device, message.payload, clock.wall());
    return { settled: settlement.unreadable(device, payload, message.reason, clock.wall()), served: null };
  }

  #accept(arrivals: readonly Arrival[]): void {
    const { store, dispatcher, onPoints } = this.#options;
    dispatcher.keep(() =>
      store.onDisk(() => {
        for (const { accept } of arrivals) accept();
      }),
    );
    onPoints();
  }

  #followUp({ payload }: ResultMessage, { served, settled }: SettledResult): void {
    const { dispatcher } = this.#options;
    // First what is known of the server: the run may want it again.
    if (served !== null) dispatcher.handle({ type: 'served', ...served });
    dispatcher.followUp(payload.run, settled);
  }

  #complain({ message: { device, payload } }: Arrival, error: unknown): void {
    const why = 'a result could not be stored; its agent keeps it and sends it again';
    const told = error instanceof StoreError ? error.message : error;
    this.#options.log.error({ device, run: payload.run, error: told }, why);
  }
}
