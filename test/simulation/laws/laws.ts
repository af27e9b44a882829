import type { Running } from '../device.ts';
import type { Fleet } from '../fleet.ts';
import type { Iperf3Server } from '../iperf3-server.ts';
import { type Break, BrokenLaw, type LawName } from './broken-law.ts';
import { ClientLaws } from './client-laws.ts';
import { LeaseLaws } from './lease-laws.ts';
import { RecordLaws } from './record-laws.ts';
import { ShownLaws } from './shown-laws.ts';

/** All laws of one night. A law that is broken throws at that moment. */
export class Laws {
  readonly clients: ClientLaws;
  readonly shown: ShownLaws;
  readonly #now: () => number;
  readonly #break: Break;
  readonly #leases = new Map<string, LeaseLaws>();
  readonly #records = new Map<string, RecordLaws>();
  /** Which server a token of a run is for, by `run/token`: run ids are unique over all controllers. */
  readonly #serverOf = new Map<string, string>();

  readonly #given_away = new Set<string>();

  constructor(fleet: Fleet, now: () => number) {
    this.#now = now;
    this.#break = (law, detail) => this.broken(law, detail);
    this.clients = new ClientLaws(fleet, this.#break);
    this.shown = new ShownLaws(this.clients, now, this.#break);
  }

  broken(law: LawName, detail: string): never {
    throw new BrokenLaw(law, detail, this.#now());
  }

  leasesOf(controller: string): LeaseLaws {
    const known = this.#leases.get(controller) ?? new LeaseLaws(this.#now, this.#break);
    this.#leases.set(controller, known);
    return known;
  }

  recordsOf(controller: string): RecordLaws {
    const known = this.#records.get(controller) ?? new RecordLaws(this.#break);
    this.#records.set(controller, known);
    return known;
  }

  granted(run: string, token: number, server: string): void {
    this.#serverOf.set(`${run}/${token}`, server);
  }

  clientStarts(running: Running, server: Iperf3Server): void {
    this.clients.start(running, server, this.#serverOf.get(`${running.run}/${running.token}`));
    this.shown.launched(running);
    this.shown.lookAtSlot(server.name);
  }

  clientEnds(running: Running): void {
    this.clients.end(running);
  }

  finished(device: string, run: string, token: number): void {
    for (const records of this.#records.values()) records.finished(device, run, token);
  }

  /** A controller that does not know the run accepts its result. */
  givenAway(run: string, token: number): void {
    this.#given_away.add(`${run}/${token}`);
  }

  /** The agent hears that its result was accepted. It says that it finished until then. */
  accepted(run: string, token: number): void {
    if (this.#given_away.has(`${run}/${token}`)) this.forgotten(run);
  }

  /** The agent was told to forget the run. */
  forgotten(run: string): void {
    for (const records of this.#records.values()) records.settled(run, null);
  }

  poweredOff(device: string): void {
    for (const records of this.#records.values()) records.poweredOff(device);
  }
}
