import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isScheduled } from '../schedule/check-of.ts';
import { readAlertRule, readAlerts } from './alerts-section.ts';
import { readBroker } from './broker-section.ts';
import { DEFAULT_CHECK, readCheck } from './check-section.ts';
import { readHttp } from './http-section.ts';
import { readInflux } from './influx-section.ts';
import { anything, optional, text } from './leaf.ts';
import { oddRules } from './odd-rules.ts';
import { readOrganizations, readServerNames } from './organizations-section.ts';
import type { Problem } from './problem.ts';
import { keysIn, namesIn, Reader } from './reader.ts';
import { readReceivers } from './receivers-section.ts';
import { readRetention } from './retention-section.ts';
import { SecretFolder } from './secret-folder.ts';
import { readGroups, readServers } from './servers-section.ts';
import type { AlertSettings, Settings } from './settings.ts';
import { readSshCredentials } from './ssh-credentials-section.ts';
import { readYaml } from './yaml-source.ts';

export type Loaded = { ok: true; settings: Settings; warnings: string[] } | { ok: false; problems: Problem[] };

const SECTIONS = {
  broker: anything,
  http: anything,
  store: optional(text('the path of a folder')),
  influx: anything,
  retention: anything,
  servers: anything,
  host_groups: anything,
  uplink_groups: anything,
  default_servers: anything,
  check: anything,
  organizations: anything,
  ssh_credentials: anything,
  alerts: anything,
  receivers: anything,
};

const DEFAULT_STORE = '/var/lib/perfleet';

const readSections = (reader: Reader, data: unknown): Settings => {
  const given = reader.fields([], data, SECTIONS);
  const servers = namesIn(given.servers);
  const defaultServers = readServerNames(reader, ['default_servers'], given.default_servers, servers) ?? [];
  const everybody = readCheck(reader, ['check'], given.check, { check: DEFAULT_CHECK, tags: [] });
  const receivers = namesIn(given.receivers);
  const credentials = namesIn(given.ssh_credentials);
  const organizations = readOrganizations(reader, given.organizations, {
    ...everybody,
    servers: defaultServers,
    known: servers,
    credentials,
  });
  return {
    broker: readBroker(reader, given.broker),
    http: readHttp(reader, given.http),
    store: reader.resolve(given.store ?? DEFAULT_STORE),
    influx: readInflux(reader, given.influx),
    retention: readRetention(reader, given.retention),
    servers: readServers(reader, given.servers, given.host_groups),
    host_groups: readGroups(reader, 'host_groups', given.host_groups),
    uplink_groups: readGroups(reader, 'uplink_groups', given.uplink_groups),
    organizations,
    ssh_credentials: readSshCredentials(reader, given.ssh_credentials),
    alerts: readAlerts(reader, given.alerts, {
      organizations: new Set([...namesIn(given.organizations), 'default']),
      servers,
      uplink_groups: namesIn(given.uplink_groups),
      receivers,
      built_in: receivers.size > 0 && [...organizations.values()].some(isScheduled),
      ssh: credentials.size > 0,
    }),
    receivers: readReceivers(reader, given.receivers, { externalBroker: keysIn(given.broker).has('url') }),
  };
};

const inFileOrder = (problems: readonly Problem[]): Problem[] =>
  problems.toSorted((a, b) => (a.line ?? Number.MAX_SAFE_INTEGER) - (b.line ?? Number.MAX_SAFE_INTEGER));

/**
 * The settings in a YAML text, or everything that is wrong with it, in the order of the file. Never throws.
 * Relative paths count from `folder`; `env` is for `$CREDENTIALS_DIRECTORY` in paths of secrets.
 */
export const parseSettings = (yaml: string, folder: string, env: NodeJS.ProcessEnv): Loaded => {
  const source = readYaml(yaml);
  const reader = new Reader(source, new SecretFolder(folder, env));
  if (!source.readable) return { ok: false, problems: inFileOrder(reader.problems) };
  const settings = readSections(reader, source.data);
  if (reader.problems.length > 0) return { ok: false, problems: inFileOrder(reader.problems) };
  return { ok: true, settings, warnings: [...reader.warnings, ...oddRules(settings)] };
};

/** One alert rule in a YAML text, of which the settings know the names; or everything that is wrong with it. Never throws. */
export const parseAlertRule = (
  yaml: string,
  { organizations, servers, uplink_groups, receivers }: Settings,
): { ok: true; rule: AlertSettings } | { ok: false; problems: Problem[] } => {
  const source = readYaml(yaml);
  const reader = new Reader(source, new SecretFolder('/', {}));
  if (!source.readable) return { ok: false, problems: inFileOrder(reader.problems) };
  const names = (section: ReadonlyMap<string, unknown>) => new Set(section.keys());
  const rule = readAlertRule(reader, source.data, {
    organizations: names(organizations),
    servers: names(servers),
    uplink_groups: names(uplink_groups),
    receivers: names(receivers),
    built_in: true,
    ssh: true,
  });
  return reader.problems.length > 0 ? { ok: false, problems: inFileOrder(reader.problems) } : { ok: true, rule };
};

/**
 * Reads a configuration file and the secret files that it names. Never throws; a file that is wrong in any way gives only its
 * problems, so that the settings in force can stay.
 */
export const loadSettings = (file: string, env: NodeJS.ProcessEnv): Loaded => {
  let yaml: string;
  try {
    yaml = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const found =
      code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
        ? 'bytes that are not UTF-8'
        : `a file that cannot be read (${code})`;
    return { ok: false, problems: [{ path: '', line: null, found, expected: 'a YAML file in UTF-8' }] };
  }
  return parseSettings(yaml, dirname(resolve(file)), env);
};
