import type { TestPlan } from '../../broker/contract/messages.ts';
import type { SshAuth, SshTarget } from '../drivers/ssh/target.ts';

/** The configuration file after validation: durations in milliseconds or seconds as named, rates in bit/s, secrets read from their files. */
export interface Settings {
  broker: EmbeddedBroker | ExternalBroker;
  http: { host: string; port: number; token: string };
  /** Folder of the SQLite file. */
  store: string;
  influx: InfluxSettings | null;
  retention: RetentionSettings;
  servers: Map<string, ServerSettings>;
  host_groups: Map<string, { capacity: number }>;
  uplink_groups: Map<string, { capacity: number }>;
  /** Always has `default`; each with its own list of servers and its own check, defaults filled in. */
  organizations: Map<string, OrganizationSettings>;
  ssh_credentials: Map<string, SshCredentials>;
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

export type InfluxSettings = { url: string; tls?: InfluxTls } & (
  | { version: 1; database: string; username: string | null; password: string | null }
  | { version: 2; organization: string; bucket: string; token: string }
);

/** How InfluxDB's certificate is checked: against the PEM text `ca` (null: the authorities that Node.js knows), or not at all. */
export interface InfluxTls {
  ca: string | null;
  insecure: boolean;
}

/** How long the store keeps what: runs after their end, iperf3's own output up to an age and a size (compressed). */
export interface RetentionSettings {
  runs_ms: number;
  raw_ms: number;
  raw_bytes: number;
}

export interface ServerSettings {
  server: string;
  host: string;
  port: number;
  host_group: string | null;
  auth: { username: string; password: string; public_key: string } | null;
  /** No test asks this server for more, in bit/s; null when it has no limit. */
  max_bitrate: number | null;
  /** When it is not to be used; `schedule` is a cron expression with five fields in `timezone`. */
  maintenance: { schedule: string; timezone: string; duration_ms: number }[];
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
  /** The wait before the first of these retries; it doubles with each. */
  backoff_ms: number;
  /** 1 to 100: which run of an organization goes first, and the weight of its share of a server that it does not have alone. */
  priority: number;
  /** Scheduled runs of a device in one calendar day of `timezone`; null for no limit. */
  max_runs_per_day: number | null;
  /** `pack`: as early as possible; `even`: over the window. */
  spread: 'pack' | 'even';
  /** Bytes that the runs of a device may move in one calendar month of `timezone`; null for no limit. */
  monthly_budget: number | null;
  /** A device with more traffic of others on its WAN than this, in bit/s, is measured later; null when nobody looks. */
  max_cross_traffic: number | null;
}

/** What a tag changes about the check of the devices that have it. */
export interface TagCheck {
  tag: string;
  check: Partial<CheckSettings>;
}

export interface OrganizationSettings {
  organization: string;
  servers: string[];
  /** Name of the SSH credentials of its devices that name none of their own. */
  ssh?: string | null;
  check: CheckSettings;
  /** In the order in which they apply: of two that change the same key the later one counts. */
  tags: TagCheck[];
}

/** How to log in to devices without an agent. */
export interface SshCredentials {
  /** Who logs in where an address does not say it. */
  user: string | null;
  auth: SshAuth;
  /** The jump host through which they are reached. */
  proxy: SshTarget | null;
}

/** What is wrong with a value; thresholds in the metric's own unit. */
export type AlertCondition =
  | {
      kind: 'below' | 'above';
      threshold: number;
      /** The alert ends when the metric is back at this. */
      clear: number;
    }
  | {
      kind: 'drop';
      /** Percent under the median of the device's values of the last `over_ms`. */
      percent: number;
      /** The alert ends when it is no more than this many percent under it. */
      clear: number;
      over_ms: number;
    };

/** One alert rule that is on, validated; the built-in ones are among them when they are on. */
export interface AlertSettings {
  name: string;
  /** Whom its alerts are about; `server` only for the built-in `server-down`. */
  subject: 'device' | 'server';
  /** `<protocol>.<direction>.<field>` or `run.success`; of built-in rules, also `ssh.host_key`. */
  metric: string;
  condition: AlertCondition;
  /** `breaches` of the last `of` values must be bad before it fires; of `server-down`: so many devices in a row. */
  breaches: number;
  of: number;
  severity: 'info' | 'warning' | 'critical';
  /** Whether one more run is to confirm it before it fires. */
  retest: boolean;
  where: AlertScope;
  /** Names of receivers. */
  notify: string[];
}

/** What a rule is about: all that is not null must fit. */
export interface AlertScope {
  organization: string | null;
  tag: string | null;
  device: string | null;
  server: string | null;
  uplink_group: string | null;
}

/** Who is told of alerts. `ca`: PEM, the authority to believe instead of the system's. */
export type ReceiverSettings = WebhookSettings | EmailSettings | AlertmanagerSettings | MqttSettings;

export interface Login {
  username: string;
  password: string;
}

export interface WebhookSettings {
  kind: 'webhook';
  url: string;
  /** Signs the messages; null for none. */
  secret: string | null;
  ca: string | null;
}

export interface EmailSettings {
  kind: 'email';
  to: string[];
  from: string;
  host: string;
  port: number;
  /** `tls`: from the first byte; `starttls`: before anything is said, or not at all. */
  security: 'tls' | 'starttls' | 'none';
  login: Login | null;
  ca: string | null;
}

export interface AlertmanagerSettings {
  kind: 'alertmanager';
  /** Without `/api/v2/alerts`. */
  url: string;
  login: Login | null;
  token: string | null;
  ca: string | null;
}

export interface MqttSettings {
  kind: 'mqtt';
  topic: string;
}
