import { z } from 'zod';
import type { NightMark } from '../schedule/night.ts';
import type { PlannedDevice } from '../schedule/plan-night.ts';
import { jsonColumn } from './columns.ts';
import type { Database } from './database.ts';

const MarkRow = z.object({
  organization: z.string(),
  schedule: z.string(),
  timezone: z.string(),
  start_ms: z.number(),
});

const DeviceRow = z.object({
  device: z.string(),
  organization: z.string(),
  tags: jsonColumn(z.array(z.string())),
});

const PopulationRow = z.object({ organization: z.string(), devices: z.int() });

/** Up to when the nights of each organization and timetable are planned: a night is planned once, whatever restarts in between. */
export class Nights {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  history(): NightMark[] {
    return this.#database.all(MarkRow, 'SELECT organization, schedule, timezone, start_ms FROM nights');
  }

  /** What planning needs to know of all devices, in order of their names. */
  devices(): PlannedDevice[] {
    return this.#database.all(DeviceRow, 'SELECT device, organization, tags FROM devices ORDER BY device');
  }

  /** How many devices each organization has. */
  population(): Map<string, number> {
    const rows = this.#database.all(
      PopulationRow,
      'SELECT organization, count(*) AS devices FROM devices GROUP BY organization',
    );
    return new Map(rows.map(({ organization, devices }) => [organization, devices]));
  }

  /** Brings the history up to date: what is `gone` goes first. */
  mark({ planned, gone }: { planned: readonly NightMark[]; gone: readonly NightMark[] }): void {
    this.#database.transaction(() => {
      for (const { organization, schedule, timezone } of gone) {
        this.#database.run('DELETE FROM nights WHERE organization = ? AND schedule = ? AND timezone = ?', [
          organization,
          schedule,
          timezone,
        ]);
      }
      for (const { organization, schedule, timezone, start_ms } of planned) {
        this.#database.run(
          'INSERT OR REPLACE INTO nights (organization, schedule, timezone, start_ms) VALUES (?, ?, ?, ?)',
          [organization, schedule, timezone, start_ms],
        );
      }
    });
  }
}
