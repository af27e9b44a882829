import type { Routes, Told } from '../drivers/routes.ts';
import type { Store } from '../store/store.ts';
import type { Dispatcher } from './dispatcher.ts';

export interface ReachOptions {
  routes: Routes;
  store: Pick<Store, 'devices'>;
  dispatcher: Pick<Dispatcher, 'handle'>;
}

/** Tells the slots which way each device is reached, as the routes decide. */
export class Reach {
  readonly #options: ReachOptions;

  constructor(options: ReachOptions) {
    this.#options = options;
  }

  /** An agent says this of itself, or its last will does. */
  status(device: string, online: boolean, boot: string): void {
    this.#tell(this.#options.routes.status(device, online, boot));
  }

  /** A device was added, or has other SSH settings. */
  look(device: string): void {
    this.#tell(this.#options.routes.look(device));
  }

  /** A device was removed from the store. */
  removed(device: string): void {
    this.#tell(this.#options.routes.removed(device));
  }

  /** To be called after the slots were told. */
  inCharge(yes: boolean): void {
    const { routes, store } = this.#options;
    routes.inCharge(yes);
    if (yes) for (const device of store.devices.withSsh()) this.look(device);
  }

  /** After each step of the slots: who was engaged may be free now, and reached another way. */
  afterStep(): void {
    for (const device of this.#options.routes.waiting) this.look(device);
  }

  #tell(told: Told | null): void {
    if (told !== null) this.#options.dispatcher.handle(told);
  }
}
