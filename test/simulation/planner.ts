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
  submit: (run: string) => void;
  broken: PromiseName | null;
}

/** Turns the nights that the product's schedule finds into runs, as controller/runs/nights.ts does. Returns when to look again. */
export const lookForNights = (options: PlannerOptions, now_ms: number): number | null => {
  const { fleet, disk, settlement, laws, newRunId, mayCrash, submit, broken } = options;
  const { organizations } = fleet.settings;
  const done = new Map(disk.history.rows);
  const plan = planNight({ organizations, devices: fleet.members, done, now_ms });
  const whole = (run: Omit<NewRun, 'run' | 'server' | 'origin' | 'not_before_ms'>): NewRun => ({
    ...run,
    run: newRunId(),
    server: null,
    origin: 'schedule',
    not_before_ms: run.requested_at_ms,
  });
  const due = plan.due.map(whole);
  const missed = plan.missed.flatMap(({ devices, ...night }) => devices.map((device) => whole({ ...night, device })));
  const added: string[] = [];
  const write = () => {
    for (const [organization, night] of plan.planned) disk.history.set(organization, night);
    if (plan.planned.size > 0) mayCrash();
    for (const run of [...due, ...missed]) if (disk.add(run)) added.push(run.run);
  };
  if (broken === 'night-with-its-runs') write();
  else disk.atomically(write);
  laws.looked(now_ms);
  for (const { run, window_end_ms } of missed) {
    mayCrash();
    settlement.end(run, 'missed', 'controller-was-down', window_end_ms);
  }
  for (const run of added) submit(run);
  return plan.next_wake_ms;
};
