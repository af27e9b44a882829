import type { SuppressionScope } from '../../controller/schedule/suppression.ts';
import { suppressesDevice, suppressesServer } from '../../controller/schedule/suppression.ts';
import type { SlotView } from '../../controller/slots/slots.ts';
import type { NewRun, RunRow } from '../../controller/store/runs.ts';
import { ControllerMachine, type ControllerWorld, type Maintenance } from './controller-machine.ts';
import { ControllerProcess } from './controller-process.ts';
import type { Disk } from './disk.ts';

/** How likely it is the machine that goes down, and not the process alone. */
const POWER_CUT_CHANCE = 0.3;

/** A controller as the world sees it: it starts, dies and starts again on its machine, and people ask it for things. */
export class SimulatedController {
  readonly #machine: ControllerMachine;
  #process: ControllerProcess | null = null;

  constructor(name: string, world: ControllerWorld, wall_offset_ms: number, maintenance: readonly Maintenance[]) {
    this.#machine = new ControllerMachine(name, world, wall_offset_ms, maintenance);
  }

  get name(): string {
    return this.#machine.name;
  }

  get disk(): Disk {
    return this.#machine.disk;
  }

  view(): SlotView[] {
    return this.#living()?.slots.view() ?? [];
  }

  wall(): number {
    return this.#machine.wall();
  }

  openRuns(): RunRow[] {
    return [...this.disk.runs.rows.values()].filter(({ state }) => state !== 'final');
  }

  start(): void {
    if (this.#living() !== null) return;
    this.#process = new ControllerProcess(this.#machine, () => this.crash());
    this.#process.start();
  }

  /** Dies at once, in some cases with its machine. */
  crash(): void {
    const { random, laws } = this.#machine.world;
    const is_power_cut = random.chance(POWER_CUT_CHANCE);
    this.#machine.tell(() => (is_power_cut ? 'loses its power' : 'crashes'));
    this.#process?.die();
    this.disk.crash();
    if (!is_power_cut) return;
    this.disk.journal.losePower(random.next());
    laws.shown.lookAtDisk(this.name);
  }

  /** Most likely it dies between two effects of the next steps. */
  crashSoon(): void {
    this.#living()?.crashSoon();
  }

  /** It does not die by itself any more. */
  calm(): void {
    this.#living()?.calm();
  }

  /** Stops in order, and says goodbye. */
  stop(): void {
    this.#machine.tell(() => 'stops in order');
    this.#living()?.stop(false);
  }

  /** Its connection dies. */
  breakDown(): void {
    this.#living()?.link.breakDown();
  }

  jump(ms: number): void {
    this.#machine.jump(ms);
  }

  lastNight(): void {
    this.#machine.plans_nights = false;
  }

  /** A person asks for a run. Null when nobody is there to take it. */
  demand(run: Pick<NewRun, 'device' | 'organization' | 'server' | 'tests'>, patience_ms: number): string | null {
    const process = this.#living();
    if (process === null) return null;
    const id = this.#machine.newRunId();
    const at = this.wall();
    const times = { requested_at_ms: at, not_before_ms: at, window_end_ms: at + patience_ms };
    this.disk.add({ ...run, ...times, run: id, origin: 'demand', night: null });
    process.survive(() => process.submit(id));
    return id;
  }

  /** A person cancels any run that is not over. */
  cancel({ run, device }: RunRow, reason = 'by a person'): void {
    const process = this.#living();
    process?.survive(() => {
      process.handle({ type: 'cancel', run, reason });
      if (!this.#machine.settlement.end(run, 'cancelled', reason, this.wall())) return;
      process.send({ kind: 'command', device, payload: { type: 'cancel', run, reason } });
    });
  }

  /** The kill switch, for a time by the wall clock. With `stop_running` what runs is cancelled too. */
  suppress(scope: SuppressionScope, for_ms: number, stop_running: boolean): void {
    const process = this.#living();
    if (process === null) return;
    this.disk.suppressions = [...this.disk.suppressions, { scope, until_wall: this.wall() + for_ms }];
    process.survive(() => process.watch.tellBans());
    if (!stop_running) return;
    for (const run of this.openRuns()) {
      const about = { ...run, tags: this.#machine.member(run.device)?.tags ?? [] };
      const server = run.granted_server ?? '';
      if (!run.awaits_result || !(suppressesDevice([scope], about) || suppressesServer([scope], server))) continue;
      this.cancel(run, 'suppressed');
    }
  }

  resume(): void {
    this.disk.suppressions = [];
    const process = this.#living();
    process?.survive(() => process.watch.tellBans());
  }

  #living(): ControllerProcess | null {
    return this.#process?.isAlive === true ? this.#process : null;
  }
}
