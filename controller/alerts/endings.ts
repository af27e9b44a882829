import type { Settings } from '../config/settings.ts';
import { checkOf, isScheduled } from '../schedule/check-of.ts';
import { measures } from '../schedule/measures.ts';
import type { OpenRow } from '../store/alert-states.ts';
import { endAlerts, type Surroundings, whyEnded } from './reconcile.ts';
import type { Rule, RuleIndex, ScopedDevice } from './rule-index.ts';
import type { AlertWrite } from './write.ts';

/** Whether the schedule measures the device. */
export const isChecked = (
  { organizations }: Pick<Settings, 'organizations'>,
  { organization, tags }: Pick<ScopedDevice, 'organization' | 'tags'>,
): boolean => {
  const known = organizations.get(organization);
  return known !== undefined && checkOf(known, tags).enabled;
};

/** Whether a run that ended was to confirm an alert, and had only some of the tests of its device's check. */
export const isPartial = (
  { organizations }: Pick<Settings, 'organizations'>,
  { organization, tags }: Pick<ScopedDevice, 'organization' | 'tags'>,
  end: AlertWrite['end'],
): boolean => {
  const only = end?.only ?? null;
  const known = organizations.get(organization);
  return only !== null && known !== undefined && checkOf(known, tags).tests.some(({ test }) => !only.includes(test));
};

/** Whether the schedule measures anybody against the server. */
export const isServerChecked = ({ organizations }: Pick<Settings, 'organizations'>, server: string): boolean =>
  [...organizations.values()].some((one) => one.servers.includes(server) && isScheduled(one));

export const wasRemoved = (name: string): string => `${name} was removed`;

type About = Pick<Surroundings, 'gone' | 'check_is_on' | 'unmeasured'>;

const ofDevice = ({ organizations }: Settings, { name, device }: OpenRow): About => {
  const known = organizations.get(device?.organization ?? '');
  if (device === null || known === undefined) {
    return { gone: device === null ? wasRemoved(name) : null, check_is_on: false, unmeasured: () => null };
  }
  const { enabled, tests } = checkOf(known, device.tags);
  const unmeasured = ({ metric, where: { server } }: Rule): string | null => {
    if (server !== null && !known.servers.includes(server))
      return `${device.organization} does not use ${server} any more`;
    return tests.some((test) => measures(test, metric)) ? null : `the check of ${name} measures no ${metric} any more`;
  };
  return { gone: null, check_is_on: enabled, unmeasured };
};

const ofServer = ({ servers, organizations }: Settings, { name }: OpenRow): About => {
  const users = [...organizations.values()].filter((one) => one.servers.includes(name));
  const unused = users.length > 0 ? null : `no organization uses ${name} any more`;
  const gone = servers.has(name) ? unused : wasRemoved(name);
  return { gone, check_is_on: users.some(isScheduled), unmeasured: () => null };
};

/** What is left of a subject's alerts without those that no value will end any more. The same states when all are left. */
export const withoutEnded = (row: OpenRow, settings: Settings, index: RuleIndex, now_ms: number) => {
  const about = row.kind === 'device' ? ofDevice(settings, row) : ofServer(settings, row);
  const ruleOf = (name: string) => index.get(name);
  return endAlerts(row.states, whyEnded(row.states, { name: row.name, now_ms, ruleOf, ...about }));
};
