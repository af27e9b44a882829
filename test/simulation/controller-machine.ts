import type { Outcome } from '../../controller/run-record.ts';
import { runRequest } from '../../controller/runs/run-request.ts';
import { checkOf } from '../../controller/schedule/check-of.ts';
import type { RunRequest } from '../../controller/slots/events.ts';
import type { RunRow } from '../../controller/store/runs.ts';
import type { Broker } from './broker.ts';
import { Disk } from './disk.ts';
import type { Fleet, Member } from './fleet.ts';
import type { Iperf3Server } from './iperf3-server.ts';
import type { Laws } from './laws/laws.ts';
import type { PromiseName } from './promises.ts';
import type { Random } from './random.ts';
import { Settlement } from './settlement.ts';
import type { Timeline } from './timeline.ts';
import type { Trace } from './trace.ts';

export interface ControllerWorld {
  timeline: Timeline;
  random: Random;
  broker: Broker;
  laws: Laws;
  trace: Trace;
  fleet: Fleet;
  servers: ReadonlyMap<string, Iperf3Server>;
  /** Devices over their budget: no run of theirs is to be tried. */
  over_budget: ReadonlySet<string>;
  broken: PromiseName | null;
  ended: (outcome: Outcome, reason: string | null) => void;
}

/** A planned maintenance window of a server, in simulated time. */
export interface Maintenance {
  server: string;
  from: number;
  to: number;
}

/** The log is on disk this long after it is asked for, at the latest. */
const SYNC_MS = 50;

/** What outlives a controller's process: its machine with a disk and a wall clock, which jumps. */
export class ControllerMachine {
  readonly name: string;
  readonly world: ControllerWorld;
  readonly disk: Disk;
  readonly settlement: Settlement;
  readonly maintenance: readonly Maintenance[];
  /** How fast its clocks run. */
  readonly rate: number;
  /** No more nights are planned when false: the story comes to its end. */
  plans_nights = true;
  #wall_offset_ms: number;
  #boots = 0;
  #runs = 0;

  constructor(name: string, world: ControllerWorld, wall_offset_ms: number, maintenance: readonly Maintenance[]) {
    this.name = name;
    this.world = world;
    this.disk = new Disk(world.broken);
    world.laws.shown.diskOf(name, (token) => this.disk.leases.get(token));
    this.maintenance = maintenance;
    this.rate = world.random.between(0.9995, 1.0005);
    this.#wall_offset_ms = wall_offset_ms;
    this.settlement = new Settlement({
      disk: this.disk,
      laws: world.laws.recordsOf(name),
      random: () => world.random.next(),
      checkOf: ({ organization, device }) => {
        const settings = world.fleet.settings.organizations.get(organization);
        return settings === undefined
          ? { retries: 0, backoff_ms: 0 }
          : checkOf(settings, this.member(device)?.tags ?? []);
      },
      onEnd: world.ended,
    });
  }

  wall(): number {
    return this.#wall_offset_ms + this.world.timeline.now;
  }

  /** The wall clock is set. */
  jump(ms: number): void {
    this.#wall_offset_ms += ms;
    this.tell(() => `its wall clock jumps by ${Math.round(ms / 1000)} s`);
  }

  /** Does it when all that was written so far is on disk, which is begun now. */
  onDisk(then: () => void): void {
    const { timeline, random } = this.world;
    this.disk.journal.whenOnDisk(then);
    timeline.after(random.between(0, SYNC_MS), () => this.disk.journal.sync());
  }

  newBoot(): string {
    this.#boots += 1;
    return `${this.name}-${this.#boots}`;
  }

  /** Run ids are unique over all controllers: they begin with the name of theirs. */
  newRunId(): string {
    this.#runs += 1;
    return `${this.name}-r${this.#runs}`;
  }

  member(device: string): Member | undefined {
    return this.world.fleet.members.find((member) => member.device === device);
  }

  /** The run as the slots need it, by a process' monotonic clock. */
  request(run: RunRow, now: () => number): RunRequest {
    const about = this.member(run.device) ?? { uplink_group: null, tags: [] };
    return runRequest(run, about, this.world.fleet.settings, { now, wall: () => this.wall() });
  }

  tell(text: () => string): void {
    this.world.trace.say(this.world.timeline.now, this.name, text);
  }
}
