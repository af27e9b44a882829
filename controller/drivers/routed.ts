import type { SlotStatus } from '../../broker/contract/messages.ts';
import type { Driver, PrepareOrder, StartOrder } from './driver.ts';
import type { MqttDriver } from './mqtt.ts';
import { type Routes, type Via, viaOf } from './routes.ts';

/** Over agents also the slots are told. */
export interface Ways {
  agent: Driver & Pick<MqttDriver, 'slot'>;
  ssh: Driver;
}

/** Each run over the way on which its device is reached. */
export class RoutedDriver {
  readonly #ways: Ways;
  readonly #routes: Pick<Routes, 'of' | 'in_charge'>;

  constructor(ways: Ways, routes: Pick<Routes, 'of' | 'in_charge'>) {
    this.#ways = ways;
    this.#routes = routes;
  }

  over(via: Via): Driver {
    return this.#ways[via];
  }

  prepare(order: PrepareOrder, server: Parameters<Driver['prepare']>[1]): void {
    this.over(this.#routes.of(order.device)).prepare(order, server);
  }

  /**
   * `boot` gave the nonce. A lease found on disk is asked for before we are in charge: not over SSH, where another controller may be now. It is
   * asked again in a second.
   */
  start({ boot, ...order }: StartOrder & { boot: string }): void {
    const via = viaOf(boot);
    if (via === 'agent' || this.#routes.in_charge) this.over(via).start(order);
  }

  /** On both ways: the run may be kept on one that its device is not reached by any more. */
  cancel(device: string, run: string, reason: string): void {
    this.over('agent').cancel(device, run, reason);
    this.over('ssh').cancel(device, run, reason);
  }

  /** Tells everybody who holds a server's slot. */
  slot(server: string, status: SlotStatus): void {
    this.#ways.agent.slot(server, status);
  }
}
