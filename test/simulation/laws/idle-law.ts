import { CLAIM_WAIT_MS } from '../../../broker/contract/numbers.ts';
import type { RunRow } from '../../../controller/store/runs.ts';
import { CHECK_MS } from '../agent-process.ts';
import { LINK_DELAY_MS } from '../controller-link.ts';
import type { Maintenance } from '../controller-machine.ts';
import type { Device } from '../device.ts';
import type { Fleet } from '../fleet.ts';
import type { Iperf3Server } from '../iperf3-server.ts';
import { CALM_DELAY_MS } from '../network.ts';
import type { SimulatedController } from '../simulated-controller.ts';
import type { Timeline } from '../timeline.ts';
import { LOOK_MS as WALL_LOOK_MS } from '../wall-watch.ts';
import type { Laws } from './laws.ts';

/** From an agent to the controller, or back. */
const MESSAGE_MS = CALM_DELAY_MS + LINK_DELAY_MS;

/** A run on deck elsewhere is taken over only if it would wait there longer than this (expected). */
const TAKEOVER_MS = 3000;

/** How often is looked: what lasts shorter is not seen. */
const LOOK_MS = 250;

/**
 * How long a server may be idle while somebody waits for it: the one before says `finished` (a message), the next one gets a seat and its
 * `prepare` (a message), looks at itself, says `ready` (a message), gets its `start` (a message), and launches iperf3. Before that it may
 * sit on another server's deck, that is expected to be free any moment, and is late by its test's grace.
 */
const PATIENCE_MS = 4 * MESSAGE_MS + CHECK_MS + TAKEOVER_MS + 1000;

interface Surroundings {
  timeline: Timeline;
  laws: Laws;
  fleet: Fleet;
  controller: SimulatedController;
  devices: readonly Device[];
  servers: ReadonlyMap<string, Iperf3Server>;
  maintenance: readonly Maintenance[];
}

/** No server is idle while a ready device waits for it. Holds exactly only in a night in which nothing goes wrong. */
export class IdleLaw {
  readonly #around: Surroundings;
  readonly #idle_since = new Map<string, number>();

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** Looks again and again, up to `until_ms`. */
  watch(until_ms: number): void {
    const { timeline } = this.#around;
    for (let at = CLAIM_WAIT_MS + 6500; at < until_ms; at += LOOK_MS) timeline.after(at, () => this.#look());
  }

  #look(): void {
    const { timeline, laws, fleet, controller, servers } = this.#around;
    const waiting = this.#waiting();
    const states = new Map(controller.view().map((one) => [one.server, one.state]));
    for (const server of fleet.servers) {
      const state = states.get(server);
      const isIdle = laws.clients.on(server) === undefined && servers.get(server)?.isFree === true && state === 'idle';
      const next = isIdle && !this.#isClosed(server) ? waiting.find((run) => this.#mayUse(run, server)) : undefined;
      if (next === undefined || this.#groupIsFull(server)) {
        this.#idle_since.delete(server);
        continue;
      }
      const since = this.#idle_since.get(server) ?? timeline.now;
      this.#idle_since.set(server, since);
      if (timeline.now - since > PATIENCE_MS)
        laws.broken('no idle server', `${server} since ${(since / 1000).toFixed(1)} s, while ${next.run} waits`);
    }
  }

  /** Runs that nothing stands against, but that they have no server. */
  #waiting(): RunRow[] {
    const { controller, laws, devices } = this.#around;
    const wall = controller.wall();
    const seated = new Set(controller.view().flatMap(({ on_deck, device }) => [on_deck?.device, device]));
    return controller
      .openRuns()
      .filter((run) => run.state === 'open' && !run.awaits_result)
      .filter((run) => run.not_before_ms <= wall && run.window_end_ms > wall)
      .filter((run) => !seated.has(run.device) && laws.clients.of(run.device) === undefined)
      .filter((run) => devices.some(({ name, isUp, isBusy }) => name === run.device && isUp && !isBusy));
  }

  #mayUse(run: RunRow, server: string): boolean {
    const { fleet, laws, controller } = this.#around;
    const list = run.server === null ? fleet.settings.organizations.get(run.organization)?.servers : [run.server];
    if (!list?.includes(server)) return false;
    const group = fleet.uplink_of.get(run.device);
    if (group === undefined) return true;
    const near = new Set(laws.clients.all().map(({ device }) => device));
    for (const { on_deck, device } of controller.view())
      for (const one of [on_deck?.device, device]) if (one) near.add(one);
    const taken = [...near].filter((device) => fleet.uplink_of.get(device) === group).length;
    return taken < (fleet.uplink_groups.get(group)?.capacity ?? 1);
  }

  /** Maintenance, or so soon that a lease could reach into it; its end is noticed within a minute. */
  #isClosed(server: string): boolean {
    const { maintenance, timeline } = this.#around;
    const longest_lease_ms = 60_000;
    return maintenance.some(
      (one) =>
        one.server === server &&
        timeline.now > one.from - longest_lease_ms &&
        timeline.now < one.to + WALL_LOOK_MS + 1000,
    );
  }

  /** Another server of its host group is used, or is about to be. */
  #groupIsFull(server: string): boolean {
    const { fleet, controller } = this.#around;
    const group = fleet.host_group_of.get(server);
    if (group === undefined) return false;
    const used = controller
      .view()
      .filter((one) => one.server !== server && fleet.host_group_of.get(one.server) === group && one.state !== 'idle');
    return used.length >= (fleet.host_groups.get(group)?.capacity ?? 1);
  }
}
