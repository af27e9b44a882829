import type { LeaseRow } from '../../../controller/slots/events.ts';
import type { SlotView } from '../../../controller/slots/slots.ts';
import type { Break } from './broken-law.ts';

/**
 * A device has one seat at a time, in one life of a controller.
 *
 * A controller that dies between a run's take-over by another server and the drop of its first lease leaves two leases on disk. Its
 * successor can't know which of them was started, and asks both (L13); their device runs one of them at most, which other laws watch. So a
 * device may have several seats when each of them was found on disk.
 */
export class SeatLaw {
  readonly #rowOnDisk: (token: number) => LeaseRow | undefined;
  readonly #break: Break;
  #found: readonly LeaseRow[] = [];

  constructor(rowOnDisk: (token: number) => LeaseRow | undefined, broken: Break) {
    this.#rowOnDisk = rowOnDisk;
    this.#break = broken;
  }

  /** The leases that the controller finds on disk. */
  starts(found: readonly LeaseRow[]): void {
    this.#found = found;
  }

  look(view: readonly SlotView[]): void {
    const seats = new Map<string, boolean>();
    for (const { server, on_deck } of view) {
      if (on_deck === null) continue;
      const { device, run } = on_deck;
      const isFound = this.#isFound(server, run);
      const before = seats.get(device);
      if (before !== undefined && !(before && isFound)) this.#break('one seat a device', device);
      seats.set(device, isFound);
    }
  }

  /** Whether the run's seat is a lease that was found, and is not settled yet. */
  #isFound(server: string, run: string): boolean {
    return this.#found.some(
      (row) => row.run === run && row.server === server && this.#rowOnDisk(row.token) !== undefined,
    );
  }
}
