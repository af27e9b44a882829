import type { SlotEvent } from '../slots/events.ts';
import type { Sight } from '../slots/presence.ts';
import type { Slots } from '../slots/slots.ts';

/** How a device is reached. */
export type Via = 'agent' | 'ssh';

const SSH = 'ssh-';

/** The boot with which a device over SSH answers: it says that the controller with this boot is its agent. */
export const sshBoot = (boot: string): string => `${SSH}${boot}`;

/** Which way a boot is heard. */
export const viaOf = (boot: string): Via => (boot.startsWith(SSH) ? 'ssh' : 'agent');

/** What the slots are to be told. */
export type Told = Extract<SlotEvent, { type: 'status' | 'reached' }>;

export interface RoutesOptions {
  slots: Pick<Slots, 'sightOf'>;
  /** Whether the device has SSH settings. */
  hasSsh: (device: string) => boolean;
  /** The random id of this start of the controller. */
  boot: string;
}

/** The way on which the slots know a device; that of its lease, if it has one. */
const wayOf = ({ boot, leased_as }: Sight): Via => viaOf(leased_as.at(-1) ?? boot ?? '');

/**
 * Which way each device is reached: over its agent while that is online, else over SSH if it has SSH settings. Pure: each call says what the slots
 * are to be told now, and what the slots know of a device is all that is known here, but for this:
 *
 * - While a device is on deck or holds a lease over SSH, its agent's presence is held back. When it is free again the slots are told of it.
 * - While it holds a lease over its agent, it is not reached over SSH, whether or not the agent is there. When it is free again it is.
 *
 * Invariant: the slots know a device by one way, which does not change while it is engaged; only what is on deck over an agent that has gone is
 * prepared anew over SSH. So a device is never run over both.
 */
export class Routes {
  readonly #options: RoutesOptions;
  /** Agents that are online and held back: their boots. */
  readonly #held = new Map<string, string>();
  /** Devices to be looked at again when they are not engaged any more. */
  readonly #engaged = new Set<string>();
  #in_charge = false;

  constructor(options: RoutesOptions) {
    this.#options = options;
  }

  /** Whether devices may be reached over SSH: nobody else does now. */
  get in_charge(): boolean {
    return this.#in_charge;
  }

  /** How the device is reached, or was last. */
  of(device: string): Via {
    const sight = this.#options.slots.sightOf(device);
    return sight === null ? 'agent' : wayOf(sight);
  }

  /** Whether what is said of a run on one way is to be listened to. No agent may speak as if it were this controller. */
  hears(device: string, via: Via, boot: string): boolean {
    const sight = this.#options.slots.sightOf(device);
    if (viaOf(boot) !== via) return false;
    return via === this.of(device) || sight?.leased_as.some((leased) => viaOf(leased) === via) === true;
  }

  /** Out of charge everybody's presence is forgotten, and agents are heard anew. In charge, each device with SSH settings is to be looked at. */
  inCharge(yes: boolean): void {
    this.#in_charge = yes;
    if (yes) return;
    this.#held.clear();
    this.#engaged.clear();
  }

  /** An agent's word about itself, or its last will. */
  status(device: string, online: boolean, boot: string): Told | null {
    if (viaOf(boot) === 'ssh') return null;
    const sight = this.#options.slots.sightOf(device);
    const isHeld = sight !== null && wayOf(sight) === 'ssh';
    if (isHeld && online) this.#held.set(device, boot);
    else if (online || this.#held.get(device) === boot) this.#held.delete(device);
    if (isHeld) return this.look(device);
    const isGone = !online && sight?.boot === boot && this.#mayReach(device);
    if (isGone && sight.leased_as.length === 0) return this.#reached(device, sshBoot(this.#options.boot));
    if (isGone) this.#engaged.add(device);
    return { type: 'status', device, online, boot };
  }

  /** The device is not registered any more: its agent's last will is not heard, so it counts as gone now, held back or not. */
  removed(device: string): Told | null {
    this.#held.delete(device);
    const boot = this.#options.slots.sightOf(device)?.boot ?? null;
    const isAgent = boot !== null && viaOf(boot) === 'agent';
    return isAgent ? { type: 'status', device, online: false, boot } : this.look(device);
  }

  /** Looks again at a device: it is not engaged any more, or its SSH settings have changed. */
  look(device: string): Told | null {
    const own = sshBoot(this.#options.boot);
    const sight = this.#options.slots.sightOf(device);
    const isOverSsh = sight !== null && wayOf(sight) === 'ssh';
    const isKnown = sight?.online === true && (!isOverSsh || sight.boot === own);
    if (sight?.engaged === true) {
      this.#engaged.add(device);
      // After a restart: it is to say that it has nothing of what an earlier controller began.
      return isOverSsh && !isKnown && this.#in_charge ? this.#reached(device, own) : null;
    }
    this.#engaged.delete(device);
    const held = this.#held.get(device);
    if (held !== undefined) {
      this.#held.delete(device);
      return this.#reached(device, held);
    }
    if (!isKnown) return this.#mayReach(device) ? this.#reached(device, own) : null;
    return isOverSsh && !this.#options.hasSsh(device) ? { type: 'status', device, online: false, boot: own } : null;
  }

  /** The devices that were engaged, to be looked at after each step of the slots. Mostly none. */
  get waiting(): ReadonlySet<string> {
    return this.#engaged;
  }

  #mayReach(device: string): boolean {
    return this.#in_charge && this.#options.hasSsh(device);
  }

  #reached(device: string, boot: string): Told {
    return { type: 'reached', device, boot };
  }
}
