import { z } from 'zod';
import { jsonColumn } from './columns.ts';
import type { Database } from './database.ts';
import { StoreError } from './errors.ts';

/** How a device is reached over SSH; nothing of it is secret. */
export const DeviceSsh = z.object({
  user: z.string(),
  host: z.string(),
  port: z.int(),
  /** Name of a set under `ssh_credentials`; null for that of its organization. */
  credentials: z.string().nullable(),
  /** The only key that it may show: "algorithm base64". */
  host_key: z.string(),
});
export type DeviceSsh = z.infer<typeof DeviceSsh>;

export interface NewDevice {
  device: string;
  organization: string;
  tags: string[];
  uplink_group: string | null;
  /** Null or absent: only its agent can reach it. */
  ssh?: DeviceSsh | null;
}

const DeviceRow = z.object({
  device: z.string(),
  organization: z.string(),
  tags: jsonColumn(z.array(z.string())),
  uplink_group: z.string().nullable(),
  ssh: jsonColumn(DeviceSsh).nullable(),
  /** What the agent last said about itself; null when none was ever seen. */
  agent: z.string().nullable(),
  host: z.string().nullable(),
  iperf3: z.string().nullable(),
  /** When, to within SEEN_RESOLUTION_MS. */
  seen_at_ms: z.number().nullable(),
  /** When its last run ended. */
  last_run_ms: z.number().nullable(),
});
export type DeviceRow = z.infer<typeof DeviceRow>;

const TagsRow = DeviceRow.pick({ tags: true });

const COLUMNS = `device, organization, tags, uplink_group, ssh, agent, host, iperf3, seen_at_ms,
  (SELECT finished_at_ms FROM runs WHERE runs.device = devices.device AND state = 'final'
   ORDER BY changed_at_ms DESC LIMIT 1) AS last_run_ms`;

/** An agent that only comes back is written down again after this: 10,000 routers that reconnect cost no 10,000 commits. */
const SEEN_RESOLUTION_MS = 3_600_000;

/** The registry of devices and the hashes of their passwords. */
export class Devices {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Throws StoreError `exists` when the device is already registered. */
  add({ device, organization, tags, uplink_group, ssh = null }: NewDevice, passwordHash: string): void {
    const added = this.#database.run(
      'INSERT INTO devices (device, organization, tags, uplink_group, ssh, password_hash) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      [device, organization, JSON.stringify(tags), uplink_group, ssh && JSON.stringify(ssh), passwordHash],
    );
    if (added === 0) {
      throw new StoreError('exists', `Device ${device} is already registered: remove it first to issue a new password`);
    }
  }

  /** In order of their names. */
  list(filter: { organization?: string; tag?: string } = {}): DeviceRow[] {
    return this.#database.all(
      DeviceRow,
      `SELECT ${COLUMNS} FROM devices
       WHERE (@organization IS NULL OR organization = @organization)
         AND (@tag IS NULL OR EXISTS (SELECT 1 FROM json_each(tags) WHERE value = @tag))
       ORDER BY device`,
      { organization: filter.organization ?? null, tag: filter.tag ?? null },
    );
  }

  /** The names of those with SSH settings. */
  withSsh(): string[] {
    const row = z.object({ device: z.string() });
    return this.#database.all(row, 'SELECT device FROM devices WHERE ssh IS NOT NULL').map(({ device }) => device);
  }

  get(device: string): DeviceRow | null {
    return this.#database.get(DeviceRow, `SELECT ${COLUMNS} FROM devices WHERE device = ?`, [device]);
  }

  /** None of a device that is not there. */
  tags(device: string): string[] {
    return this.#database.get(TagsRow, 'SELECT tags FROM devices WHERE device = ?', [device])?.tags ?? [];
  }

  /** How it is reached over SSH from now on; null: only by its agent. */
  setSsh(device: string, ssh: DeviceSsh | null): void {
    this.#database.run('UPDATE devices SET ssh = ? WHERE device = ?', [ssh && JSON.stringify(ssh), device]);
  }

  /** The only host key that a device with SSH settings may show from now on. */
  pin(device: string, host_key: string): void {
    this.#database.run("UPDATE devices SET ssh = json_set(ssh, '$.host_key', ?) WHERE device = ?", [host_key, device]);
  }

  /** Its runs stay. False when there is no such device. */
  remove(device: string): boolean {
    return this.#database.run('DELETE FROM devices WHERE device = ?', [device]) > 0;
  }

  passwordHash(device: string): string | null {
    const row = z.object({ password_hash: z.string() });
    return (
      this.#database.get(row, 'SELECT password_hash FROM devices WHERE device = ?', [device])?.password_hash ?? null
    );
  }

  /** What the agent of a device says about itself. */
  noteAgent(
    device: string,
    seen: { agent: string | null; host: string | null; iperf3: string | null; at_ms: number },
  ): void {
    this.#database.run(
      `UPDATE devices SET agent = @agent, host = @host, iperf3 = @iperf3, seen_at_ms = @at_ms
       WHERE device = @device AND (agent IS NOT @agent OR host IS NOT @host OR iperf3 IS NOT @iperf3
         OR abs(@at_ms - coalesce(seen_at_ms, 0)) >= ${SEEN_RESOLUTION_MS})`,
      { device, ...seen },
    );
  }
}
