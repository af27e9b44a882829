import { z } from 'zod';
import type { Database } from './database.ts';
import { StoreError } from './errors.ts';

/**
 * One step per version of the file, never changed once released. Times are milliseconds since 1970 by the controller's
 * clock; columns that hold JSON are marked.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE devices (
    device TEXT PRIMARY KEY, organization TEXT NOT NULL, tags TEXT NOT NULL /* JSON */, uplink_group TEXT,
    password_hash TEXT NOT NULL, agent TEXT, host TEXT, iperf3 TEXT, seen_at_ms REAL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE last_token (token INTEGER NOT NULL) STRICT;
  INSERT INTO last_token VALUES (0);

  CREATE TABLE leases (
    token INTEGER PRIMARY KEY, run TEXT NOT NULL, device TEXT NOT NULL, server TEXT NOT NULL, endpoint TEXT NOT NULL,
    nonce TEXT NOT NULL, boot TEXT NOT NULL, lease_ms REAL NOT NULL, granted INTEGER NOT NULL, tests TEXT NOT NULL /* JSON */
  ) STRICT;

  CREATE TABLE runs (
    run TEXT PRIMARY KEY, device TEXT NOT NULL, organization TEXT NOT NULL, server TEXT, origin TEXT NOT NULL, night TEXT,
    plan TEXT NOT NULL /* JSON: all tests */, tests TEXT NOT NULL /* JSON: still to be measured */, requested_at_ms REAL NOT NULL, not_before_ms REAL NOT NULL,
    window_end_ms REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, failed_attempts TEXT NOT NULL DEFAULT '{}' /* JSON */,
    first_granted_at_ms REAL, granted_token INTEGER, awaits_result INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'open', overdue_at_ms REAL,
    outcome TEXT, reason TEXT, ended_on TEXT /* server: also of a run that was never granted */, finished_at_ms REAL, duration_s REAL,
    failures TEXT NOT NULL DEFAULT '[]' /* JSON: of the last attempt, when it had no result */,
    changed_at_ms REAL NOT NULL /* last requested, granted or finished: the order in which people look at runs */
  ) STRICT;
  CREATE UNIQUE INDEX runs_of_a_night ON runs (night, organization, device);
  CREATE INDEX runs_open ON runs (state) WHERE state <> 'final';
  CREATE INDEX runs_newest ON runs (changed_at_ms);
  CREATE INDEX runs_of_a_device ON runs (device, changed_at_ms);

  CREATE TABLE nights (
    organization TEXT NOT NULL, schedule TEXT NOT NULL, timezone TEXT NOT NULL,
    start_ms REAL NOT NULL /* of the last night planned */, PRIMARY KEY (organization, schedule, timezone)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE grants (
    token INTEGER PRIMARY KEY, run TEXT NOT NULL, server TEXT NOT NULL, via TEXT NOT NULL, at_ms REAL NOT NULL,
    tests TEXT NOT NULL /* JSON */
  ) STRICT;
  CREATE INDEX grants_of_a_run ON grants (run);
  CREATE INDEX grants_of_a_server ON grants (server, token);

  CREATE TABLE moved (
    token INTEGER PRIMARY KEY, run TEXT NOT NULL, device TEXT NOT NULL, at_ms REAL NOT NULL /* of the grant */,
    bytes INTEGER NOT NULL, estimated INTEGER NOT NULL /* until the result says what was really moved */
  ) STRICT;
  CREATE INDEX moved_by_a_device ON moved (device, at_ms);
  CREATE INDEX moved_by_age ON moved (at_ms);

  CREATE TABLE results (
    run TEXT NOT NULL, token INTEGER NOT NULL, failures TEXT NOT NULL /* JSON */, warnings TEXT NOT NULL /* JSON */,
    PRIMARY KEY (run, token)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE measurements (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL, token INTEGER /* null: a zero for a test that was never measured */,
    time_ms REAL NOT NULL, measurement TEXT NOT NULL /* JSON */
  ) STRICT;
  CREATE INDEX measurements_of_a_run ON measurements (run);

  CREATE TABLE raw_results (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL, token INTEGER NOT NULL, stored_at_ms REAL NOT NULL, bytes INTEGER NOT NULL,
    outputs BLOB NOT NULL /* gzip of JSON */
  ) STRICT;
  CREATE INDEX raw_results_of_a_run ON raw_results (run);
  CREATE INDEX raw_results_by_age ON raw_results (stored_at_ms, bytes);

  CREATE TABLE suppressions (
    id INTEGER PRIMARY KEY, scope TEXT NOT NULL, name TEXT NOT NULL /* '' for the fleet */, until_ms REAL /* null: until it is lifted */,
    reason TEXT, since_ms REAL NOT NULL, UNIQUE (scope, name)
  ) STRICT;

  CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, point TEXT NOT NULL /* JSON */) STRICT;
  CREATE TABLE outbox_rejected (id INTEGER PRIMARY KEY, point TEXT NOT NULL, error TEXT NOT NULL) STRICT;

  CREATE TABLE alert_states (
    kind TEXT NOT NULL /* device or server */, name TEXT NOT NULL, states TEXT NOT NULL /* JSON: what each rule remembers of it */,
    known INTEGER NOT NULL /* how many alerts it has or had */, open INTEGER NOT NULL /* how many are pending or firing */,
    held_until_ms REAL /* the earliest time until which one is held; null when none is */, PRIMARY KEY (kind, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX alert_states_known ON alert_states (kind, name) WHERE known > 0;
  CREATE INDEX alert_states_open ON alert_states (kind, name) WHERE open > 0;
  CREATE INDEX alert_states_held ON alert_states (held_until_ms) WHERE held_until_ms IS NOT NULL;

  CREATE TABLE notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT, receiver TEXT NOT NULL, notice TEXT NOT NULL /* JSON */,
    left_to TEXT /* JSON: the addresses that have not got it; null: all of the receiver's */, error TEXT /* why those have not */,
    tries INTEGER NOT NULL DEFAULT 0 /* of those */, not_before_ms REAL NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX notices_of_a_receiver ON notices (receiver, id);
  CREATE TABLE notices_set_aside (
    id INTEGER PRIMARY KEY, receiver TEXT NOT NULL, notice TEXT NOT NULL, error TEXT NOT NULL, left_to TEXT /* as in notices */
  ) STRICT;
  CREATE INDEX notices_set_aside_of_a_receiver ON notices_set_aside (receiver, id);
  CREATE TABLE receivers (receiver TEXT PRIMARY KEY, place TEXT NOT NULL /* a hash of where it is reached */) STRICT, WITHOUT ROWID;
  `,
  'ALTER TABLE devices ADD COLUMN ssh TEXT /* JSON */',
  "ALTER TABLE results ADD COLUMN system TEXT NOT NULL DEFAULT '[]' /* JSON */",
];

/** Brings the file to the newest version, each step in one transaction; refuses a file from a newer perfleet. */
export const migrate = (database: Database, steps: readonly string[] = MIGRATIONS): void => {
  const version = database.one(z.object({ user_version: z.int() }), 'PRAGMA user_version').user_version;
  if (version > steps.length) {
    throw new StoreError(
      'newer',
      `The store ${database.file} has version ${version}, this perfleet knows up to ${steps.length}: ` +
        'run the newer perfleet, or restore the backup made before the update',
    );
  }
  for (const [index, step] of steps.entries()) {
    if (index < version) continue;
    database.transaction(() => database.exec(`${step}; PRAGMA user_version = ${index + 1}`));
  }
};
