import { type NightFleet, TROUBLES } from './night-fleet.ts';
import { at } from './night-queue.ts';

/** No run had the server since it rests after an unclean end. */
const RESTS = Number.POSITIVE_INFINITY;

/**
 * How well the servers are used, by their leases. A server is idle for nothing while a run waits that may use it and that nothing keeps
 * from it. Counted are the runs of organizations that do not spread theirs, whose device has no trouble and no uplink group, from due to
 * granted; and the servers without a host group, but not from an unclean end to their next lease. Everything else has a reason to wait
 * that cannot be seen from outside.
 */
export class NightUse {
  readonly #serversOf: number[][] = [];
  readonly #organizationsOf: number[][];
  readonly #organizationOf: Int32Array;
  /** 1 for the runs that count. */
  readonly #counts: Uint8Array;
  /** Of each organization how many wait, and since when somebody has. */
  readonly #waiting: Int32Array;
  readonly #waiting_since: Float64Array;
  /** Since when a server has no lease; Infinity while it has one, or rests. */
  readonly #free_since: Float64Array;
  readonly #granted_at: Float64Array;
  /** Up to here its idle time is in the sum. */
  readonly #summed_until: Float64Array;
  readonly #inHostGroup: Uint8Array;
  #first_ms = Number.POSITIVE_INFINITY;
  #last_ms = 0;
  #leased_ms = 0;
  /** On the servers that are watched. */
  #watched_leased_ms = 0;
  #idle_ms = 0;
  longest_idle_ms = 0;

  constructor(fleet: NightFleet) {
    const organizations = [...fleet.organizations.values()];
    const places = new Map(organizations.map(({ organization }, index) => [organization, index]));
    const count = fleet.servers.length;
    this.#organizationsOf = Array.from({ length: count }, () => []);
    this.#organizationOf = Int32Array.from(fleet.devices, ({ organization }) => places.get(organization) ?? 0);
    this.#counts = Uint8Array.from(fleet.devices, ({ organization, uplink_group }, device) => {
      const packed = fleet.organizations.get(organization)?.check.spread === 'pack';
      return packed && uplink_group === null && TROUBLES[at(fleet.troubles, device)] === 'none' ? 1 : 0;
    });
    this.#inHostGroup = Uint8Array.from(fleet.servers, ({ host_group }) => (host_group === null ? 0 : 1));
    for (const [index, { servers }] of organizations.entries()) {
      const own = servers.map((server) => Number(server.slice(1)));
      this.#serversOf.push(own);
      for (const server of own) this.#organizationsOf[server]?.push(index);
    }
    this.#waiting = new Int32Array(organizations.length);
    this.#waiting_since = new Float64Array(organizations.length);
    this.#free_since = new Float64Array(count);
    this.#granted_at = new Float64Array(count);
    this.#summed_until = new Float64Array(count);
  }

  runIsDue(device: number, now: number): void {
    this.#first_ms = Math.min(this.#first_ms, now);
    if (at(this.#counts, device) === 0) return;
    const organization = at(this.#organizationOf, device);
    if (at(this.#waiting, organization) === 0) this.#waiting_since[organization] = now;
    this.#waiting[organization] = at(this.#waiting, organization) + 1;
  }

  granted(device: number, server: number, now: number): void {
    for (const organization of this.#organizationsOf[server] ?? []) this.#noteIdle(server, organization, now);
    this.#free_since[server] = Number.POSITIVE_INFINITY;
    this.#granted_at[server] = now;
    this.waitsNoMore(device, now);
  }

  /** It has a slot, or has ended without one. */
  waitsNoMore(device: number, now: number): void {
    if (at(this.#counts, device) === 0) return;
    this.#counts[device] = 0;
    const organization = at(this.#organizationOf, device);
    if (at(this.#waiting, organization) === 1)
      for (const server of this.#serversOf[organization] ?? []) this.#noteIdle(server, organization, now);
    this.#waiting[organization] = at(this.#waiting, organization) - 1;
  }

  /** The server's lease is over. */
  released(server: number, clean: boolean, now: number): void {
    const leased_ms = now - at(this.#granted_at, server);
    this.#leased_ms += leased_ms;
    if (at(this.#inHostGroup, server) === 0) this.#watched_leased_ms += leased_ms;
    this.#last_ms = now;
    this.#free_since[server] = clean ? now : RESTS;
  }

  get makespan_ms(): number {
    return this.#last_ms - this.#first_ms;
  }

  /** Σ lease time ÷ (servers × makespan). */
  get slot_use(): number {
    return this.#leased_ms / (this.#free_since.length * this.makespan_ms);
  }

  /** Σ lease time ÷ (Σ lease time + Σ time idle while somebody waited). */
  get use_while_waited(): number {
    return this.#watched_leased_ms / (this.#watched_leased_ms + this.#idle_ms);
  }

  /** A stretch in which the server was idle and the organization waited may end now. */
  #noteIdle(server: number, organization: number, now: number): void {
    if (at(this.#waiting, organization) === 0 || at(this.#inHostGroup, server) === 1) return;
    const since = Math.max(at(this.#free_since, server), at(this.#waiting_since, organization));
    if (since >= now) return;
    this.longest_idle_ms = Math.max(this.longest_idle_ms, now - since);
    this.#idle_ms += Math.max(0, now - Math.max(since, at(this.#summed_until, server)));
    this.#summed_until[server] = now;
  }
}
