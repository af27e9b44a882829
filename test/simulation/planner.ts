import { planNight } from '../../controller/schedule/plan-night.ts';
import type { NewRun } from '../../controller/store/runs.ts';
import type { Disk } from './disk.ts';
import type { Fleet } from './fleet.ts';
import type { RecordLaws } from './laws/record-laws.ts';
import type { PromiseName } from './promises.ts';
import type { Settlement } from './settlement.ts';

export interface PlannerOptions {
  fleet: Fleet;
  disk: Disk;
  settlement: Settlement;
  laws: RecordLaws;
  newRunId: () => string;
  mayCrash: () => void;
  /** Does it a moment later, if the process still lives. */
  later: (work: () => void) => void;
  submit: (run: string) => void;
  broken: PromiseName | null;
}

/** So many runs are handed on before others have their turn. */
const BATCH = 4;

/** A run that is new, and when it is missed already. */
interface Added {
  run: string;
  missed_at_ms: number | null;
}

const handOn = (options: PlannerOptions, added: readonly Added[]): void => {
  const { disk, settlement, mayCrash, submit, later } = options;
  const batch = added.slice(0, BATCH);
  disk.journal.atomically(() => {
    for (const { run, missed_at_ms } of batch) {
      mayCrash();
      if (missed_at_ms !== null) settlement.end(run, 'missed', 'controller-was-down', missed_at_ms);
    }
  });
  for (const { run, missed_at_ms } of batch) if (missed_at_ms === null) submit(run);
  if (added.length > BATCH) later(() => handOn(options, added.slice(BATCH)));
};

/** Turns the nights that the product's schedule finds into runs, as controller/runs/nights.ts does. Returns when the next one begins. */
export const lookForNights = (options: PlannerOptions, now_ms: number): number | null => {
  const { fleet, disk, laws, newRunId, mayCrash, broken } = options;
  const { organizations } = fleet.settings;
  const done = [...disk.history.rows.values()];
  const plan = planNight({ organizations, devices: () => fleet.members, done, now_ms });
  const whole = (run: (typeof plan.due)[number]): NewRun => ({
    ...run,
    run: newRunId(),
    server: null,
    origin: 'schedule',
  });
  const runs = [
    ...plan.due.map(whole).map((run) => ({ run, missed_at_ms: null })),
    ...plan.missed.map(whole).map((run) => ({ run, missed_at_ms: run.window_end_ms })),
  ];
  const added: Added[] = [];
  const write = () => {
    for (const mark of plan.gone) disk.history.delete(`${mark.organization} ${mark.schedule} ${mark.timezone}`);
    for (const mark of plan.planned) disk.history.set(`${mark.organization} ${mark.schedule} ${mark.timezone}`, mark);
    if (runs.length > 0) mayCrash();
    for (const { run, missed_at_ms } of runs) if (disk.add(run)) added.push({ run: run.run, missed_at_ms });
  };
  if (broken === 'night-with-its-runs') write();
  else disk.journal.atomically(write);
  laws.looked(now_ms);
  handOn(options, added);
  return plan.next_wake_ms;
};
