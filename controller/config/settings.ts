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
  alerts: AlertSettings[];
  receivers: Map<string, ReceiverSettings>;
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

/** One alert rule, validated; this version does not evaluate it. */
export interface AlertSettings {
  name: string;
  /** `<protocol>.<direction>.<field>` or `run.success`. */
  metric: string;
  /** Fires when the metric is `below` or `above` this, in the metric's own unit. */
  compare: 'below' | 'above';
  threshold: number;
  /** `breaches` of the last `of` measurements must be over the threshold. */
  breaches: number;
  of: number;
  /** The alert ends when the metric is back at this. */
  clear: number;
  where: { organization: string | null; device: string | null; server: string | null; uplink_group: string | null };
  /** Names of receivers. */
  notify: string[];
}

export interface ReceiverSettings {
  webhook: string;
  /** Signs the messages; null for none. */
  secret: string | null;
}
