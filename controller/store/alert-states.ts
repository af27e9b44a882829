import { z } from 'zod';
import type { Subject } from '../alerts/notice.ts';
import { NO_STATES, SubjectStates } from '../alerts/state.ts';
import { jsonColumn } from './columns.ts';
import type { Database } from './database.ts';

const States = jsonColumn(SubjectStates);

const Row = z.object({ kind: z.enum(['device', 'server']), name: z.string(), states: States });
type Row = z.infer<typeof Row>;

const DeviceStates = z.object({
  device: z.string(),
  organization: z.string(),
  tags: jsonColumn(z.array(z.string())),
  uplink_group: z.string().nullable(),
  states: States.nullable(),
});
export type DeviceStates = Omit<z.infer<typeof DeviceStates>, 'states'> & { states: SubjectStates };

const WithDevice = Row.extend({
  device: jsonColumn(z.object({ organization: z.string(), tags: z.array(z.string()) })).nullable(),
});
/** `device` is null of a server, and of a device that is not registered. */
export type OpenRow = z.infer<typeof WithDevice>;

/** Which subjects: all unless given otherwise; `after` is one of them, and `limit` how many. */
export interface OpenFilter {
  all?: boolean;
  after?: Subject | null;
  limit?: number;
}

/** When the first of its alerts is to be looked at again, as it is held no longer. */
const heldUntil = ({ rules }: SubjectStates): number | null => {
  const times = Object.values(rules).flatMap(({ hold }) => hold?.until_ms ?? []);
  return times.length === 0 ? null : Math.min(...times);
};

/** What alert rules remember: one row for each device and server, whatever the number of rules. To be used inside transactions. */
export class AlertStates {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** A registered device with its states; null when it is not registered. */
  device(device: string): DeviceStates | null {
    const row = this.#database.get(
      DeviceStates,
      `SELECT device, organization, tags, uplink_group, states
       FROM devices LEFT JOIN alert_states ON kind = 'device' AND name = device WHERE device = ?`,
      [device],
    );
    return row === null ? null : { ...row, states: row.states ?? NO_STATES };
  }

  get({ kind, name }: Subject): SubjectStates {
    const row = z.object({ states: States });
    const sql = 'SELECT states FROM alert_states WHERE kind = ? AND name = ?';
    return this.#database.get(row, sql, [kind, name])?.states ?? NO_STATES;
  }

  put({ kind, name }: Subject, states: SubjectStates): void {
    const entries = Object.values(states.rules);
    const open = entries.filter(({ state }) => state !== 'resolved').length;
    this.#database.run(
      `INSERT INTO alert_states (kind, name, states, known, open, held_until_ms)
       VALUES (@kind, @name, @states, @known, @open, @held_until_ms)
       ON CONFLICT (kind, name) DO UPDATE SET states = @states, known = @known, open = @open, held_until_ms = @held_until_ms`,
      { kind, name, states: JSON.stringify(states), known: entries.length, open, held_until_ms: heldUntil(states) },
    );
  }

  remove({ kind, name }: Subject): void {
    this.#database.run('DELETE FROM alert_states WHERE kind = ? AND name = ?', [kind, name]);
  }

  /** Subjects with an alert that is pending or firing; with `all`, also those whose alerts are resolved. In order. */
  open({ all = false, after = null, limit = -1 }: OpenFilter = {}): OpenRow[] {
    const { kind, name } = after ?? { kind: '', name: '' };
    return this.#database.all(
      WithDevice,
      `SELECT kind, name, states, iif(device IS NULL, NULL, json_object('organization', organization, 'tags', json(tags))) AS device
       FROM alert_states LEFT JOIN devices ON kind = 'device' AND device = name
       WHERE ${all ? 'known > 0' : 'open > 0'} AND (kind, name) > (@kind, @name) ORDER BY kind, name LIMIT @limit`,
      { kind, name, limit },
    );
  }

  /** Devices with an alert that is held until some time. */
  timed(): Row[] {
    return this.#database.all(Row, 'SELECT kind, name, states FROM alert_states WHERE held_until_ms IS NOT NULL');
  }
}
