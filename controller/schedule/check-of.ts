import type { TestPlan } from '../../broker/contract/messages.ts';
import type { CheckSettings, OrganizationSettings } from '../config/settings.ts';

type Checked = Pick<OrganizationSettings, 'check' | 'tags'>;

/**
 * The check that counts for a device: its organization's, then what its tags change, in the order of the configuration. Who needs a
 * device's check asks here.
 */
export const checkOf = (organization: Checked, tags: readonly string[]): CheckSettings => {
  let { check } = organization;
  for (const change of organization.tags) if (tags.includes(change.tag)) check = { ...check, ...change.check };
  return check;
};

/** The same, made once for each set of tags that makes a difference: a fleet has many devices and few of those. */
export const checksOf = (organization: Checked): ((tags: readonly string[]) => CheckSettings) => {
  if (organization.tags.length === 0) return () => organization.check;
  const made = new Map<string, CheckSettings>();
  return (tags) => {
    const key = organization.tags.reduce((sum, { tag }, index) => (tags.includes(tag) ? `${sum} ${index}` : sum), '');
    const check = made.get(key) ?? checkOf(organization, tags);
    made.set(key, check);
    return check;
  };
};

/** Whether the schedule measures any device of the organization: everyone, or those with some tag. */
export const isScheduled = ({ check, tags }: Checked): boolean =>
  check.enabled || tags.some((change) => change.check.enabled === true);

/** All lists of tests that devices of the organization may get. */
export const testsOf = ({ check, tags }: Checked): TestPlan[][] => [
  check.tests,
  ...tags.flatMap((change) => (change.check.tests === undefined ? [] : [change.check.tests])),
];
