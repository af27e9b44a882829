import type { SlotStatus } from '../../../broker/contract/messages.ts';
import type { LeaseRow } from '../../../controller/slots/events.ts';
import { LINK_DELAY_MS } from '../controller-link.ts';
import type { Running } from '../device.ts';
import type { Break } from './broken-law.ts';
import { type ClientLaws, controllerOf } from './client-laws.ts';

/** From the moment at which a controller is in charge up to the moment at which it is not, or is cut off, or dead. */
interface Charge {
  lasts: () => boolean;
  /** When the first start of a `run/token` was sent in it. */
  readonly starts: Map<string, number>;
}

/** What a controller that begins now, on this machine or another one, can know of the clients that run: the disk, and the retained slots. */
export class ShownLaws {
  readonly #now: () => number;
  readonly #break: Break;
  readonly #clients: ClientLaws;
  readonly #charges = new Map<string, Charge>();
  readonly #disks = new Map<string, (token: number) => LeaseRow | undefined>();
  readonly #slots = new Map<string, SlotStatus>();

  constructor(clients: ClientLaws, now: () => number, broken: Break) {
    this.#clients = clients;
    this.#now = now;
    this.#break = broken;
  }

  /** Where the leases of a controller are. */
  diskOf(controller: string, row: (token: number) => LeaseRow | undefined): void {
    this.#disks.set(controller, row);
  }

  /** A controller is in charge, for as long as `lasts` says. */
  inCharge(controller: string, lasts: () => boolean): void {
    this.#charges.set(controller, { lasts, starts: new Map() });
  }

  /** A controller sends a start. It counts only while it is in charge: after a restart it asks before, and shows nothing. */
  startSent({ run, token }: { run: string; token: number }): void {
    const charge = this.#charges.get(controllerOf(run));
    const key = `${run}/${token}`;
    if (charge?.lasts() && !charge.starts.has(key)) charge.starts.set(key, this.#now());
  }

  /** The broker remembers this of a server from now on. */
  retained(server: string, slot: SlotStatus | null): void {
    if (slot === null) this.#slots.delete(server);
    else this.#slots.set(server, slot);
    this.lookAtSlot(server);
  }

  /** To be called whenever rows may have gone. A client is gone before anybody is told of its end, and before its deadline: no exemption. */
  lookAtDisk(controller: string): void {
    for (const client of this.#clients.all()) if (controllerOf(client.run) === controller) this.launched(client);
  }

  launched({ device, run, token, server }: Running): void {
    const row = this.#disks.get(controllerOf(run))?.(token);
    if (row?.run !== run || row.server !== server)
      this.#break('the lease of a client is on disk', `${device}/${run}/${token} runs on ${server} without`);
  }

  lookAtSlot(server: string): void {
    const client = this.#clients.on(server);
    if (client === undefined) return;
    const { device, run, token } = client;
    const controller = controllerOf(run);
    const charge = this.#charges.get(controller);
    // Cut off or dead, a controller can't show anything; whoever comes after it reads what is retained.
    if (!charge?.lasts()) return;
    // A client of an earlier charge: of two leases found on disk the later one is shown when its turn has come to be asked.
    const sent_at = charge.starts.get(`${run}/${token}`);
    // What was sent may still be on its way to the broker.
    if (sent_at === undefined || this.#now() < sent_at + LINK_DELAY_MS) return;
    const slot = this.#slots.get(server);
    if (slot?.run === run && slot.token === token) return;
    // A stranger's slot stays until its rest is over: a restart in between must find it again.
    if (slot && slot.run !== null && controllerOf(slot.run) !== controller) return;
    this.#break(
      'the slot names who runs',
      `${device}/${run}/${token} on ${server}, which shows ${slot?.run ?? 'nobody'}`,
    );
  }
}
