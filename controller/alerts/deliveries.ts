import type { ReceiverSettings } from '../config/settings.ts';
import { Delivery, type DeliveryParts } from './delivery.ts';
import type { DeliveryStatus } from './delivery-status.ts';
import type { AlertNotice } from './notice.ts';
import type { Outcome } from './receivers/receiver.ts';
import { noteReceivers } from './renamed-receivers.ts';

/** A notice that is about nothing. `id` is one of its own. */
const testNotice = (receiver: string, id: string, now_ms: number): AlertNotice => {
  const at = new Date(now_ms).toISOString();
  return {
    id,
    alert: id,
    rule: 'perfleet-test',
    severity: 'info',
    state: 'firing',
    subject: { kind: 'device', name: 'perfleet-test' },
    organization: null,
    server: null,
    metric: 'run.success',
    value: null,
    reason: `This is a test of the receiver ${receiver}. Nothing is wrong.`,
    run: null,
    firing_since: at,
    at,
  };
};

/** Carries notices to all receivers of the configuration. Each is on its own: one that is slow or down delays nobody else. */
export class Deliveries {
  readonly #parts: DeliveryParts;
  readonly #deliveries = new Map<string, Delivery>();
  /** Of receivers that are gone: until their last attempt is over. */
  readonly #ending = new Set<Promise<void>>();
  #running = false;

  constructor(receivers: ReadonlyMap<string, ReceiverSettings>, parts: DeliveryParts) {
    this.#parts = parts;
    for (const [name, settings] of receivers) this.#deliveries.set(name, new Delivery(name, settings, parts));
  }

  /** Goes on with what waits in the store. What waits for receivers that are not in the configuration any more is dropped. */
  start(): void {
    this.#running = true;
    this.#dropStrangers();
    for (const delivery of this.#deliveries.values()) delivery.start();
  }

  /** To be called after notices were committed. */
  kick(): void {
    for (const delivery of this.#deliveries.values()) delivery.kick();
  }

  /**
   * Takes these receivers into force at once, before alerts are told by them. One that has another name goes on under that; what waits for one
   * that is gone is dropped.
   */
  configure(receivers: ReadonlyMap<string, ReceiverSettings>): void {
    this.#rename(noteReceivers(this.#parts.store, receivers, this.#parts.log));
    for (const [name, delivery] of this.#deliveries) {
      if (receivers.has(name)) continue;
      this.#deliveries.delete(name);
      const ending = delivery.stop().finally(() => this.#ending.delete(ending));
      this.#ending.add(ending);
    }
    for (const [name, settings] of receivers) {
      const known = this.#deliveries.get(name);
      if (known !== undefined) known.configure(settings);
      else this.#add(name, settings);
    }
    this.#dropStrangers();
  }

  /** Resolves within 5 s; what is under way then is sent again after the next start. */
  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all([...[...this.#deliveries.values()].map((delivery) => delivery.stop()), ...this.#ending]);
  }

  /** Sends a test to a receiver, beside what waits for it; null when there is none of that name. `id` is one of its own. */
  test(receiver: string, id: string): Promise<Outcome> | null {
    const delivery = this.#deliveries.get(receiver);
    return delivery?.sendNow(testNotice(receiver, id, this.#parts.clock.wall())) ?? null;
  }

  /** What a receiver, or each, has refused is sent again; null when there is none of that name. Returns how many notices that are. */
  retry(receiver: string | null): number | null {
    if (receiver !== null) return this.#deliveries.get(receiver)?.retry() ?? null;
    return [...this.#deliveries.values()].reduce((count, delivery) => count + delivery.retry(), 0);
  }

  status(): DeliveryStatus[] {
    return [...this.#deliveries.values()].map((delivery) => delivery.status());
  }

  #rename(renamed: ReadonlyMap<string, string>): void {
    for (const [name, delivery] of [...this.#deliveries]) {
      const now = renamed.get(name) ?? name;
      delivery.rename(now);
      this.#deliveries.delete(name);
      this.#deliveries.set(now, delivery);
    }
  }

  #add(name: string, settings: ReceiverSettings): void {
    const delivery = new Delivery(name, settings, this.#parts);
    this.#deliveries.set(name, delivery);
    if (this.#running) delivery.start();
  }

  #dropStrangers(): void {
    const { store, log } = this.#parts;
    for (const { receiver, notices } of store.notices.keepOnly([...this.#deliveries.keys()]))
      log.warn(
        { receiver, dropped: notices },
        'a receiver is gone from the configuration: what waited for it is dropped',
      );
  }
}
