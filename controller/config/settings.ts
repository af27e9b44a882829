import type { TestPlan } from '../../broker/contract/messages.ts';

/** The configuration file after validation: durations in milliseconds or seconds as named, rates in bit/s, secrets read from their files. */
export interface Settings {
  broker: EmbeddedBroker | ExternalBroker;
  http: { host: string; port: number; token: string };
  /** Folder of the SQLite file. */
  store: string;
  influx: InfluxSettings | null;
  servers: Map<string, ServerSettings>;
  host_groups: Map<string, { capacity: number }>;
  uplink_groups: Map<string, { capacity: number }>;
  /** Always has `default`; each with its own list of servers and its own check, defaults filled in. */
  organizations: Map<string, OrganizationSettings>;
}

export interface TlsFiles {
  cert: string;
  key: string;
  ca: string | null;
}

export interface EmbeddedBroker {
  kind: 'embedded';
  host: string;
  port: number;
  /** PEM texts; null for plain MQTT. */
  tls: TlsFiles | null;
}

export interface ExternalBroker {
  kind: 'external';
  url: string;
  username: string | null;
  password: string | null;
  /** PEM texts; `cert` and `key` for client certificates. */
  tls: { ca: string | null; cert: string | null; key: string | null };
}

export type InfluxSettings =
  | { version: 1; url: string; database: string; username: string | null; password: string | null }
  | { version: 2; url: string; organization: string; bucket: string; token: string };

export interface ServerSettings {
  server: string;
  host: string;
  port: number;
  host_group: string | null;
  auth: { username: string; password: string; public_key: string } | null;
}

export interface CheckSettings {
  enabled: boolean;
  /** Cron expression with five fields, in `timezone`. */
  schedule: string;
  timezone: string;
  window_ms: number;
  tests: TestPlan[];
  /** How often a run is tried again after `unreachable`. */
  retries: number;
}

export interface OrganizationSettings {
  organization: string;
  servers: string[];
  check: CheckSettings;
}
