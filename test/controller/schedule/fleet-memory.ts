import { DEFAULT_CHECK } from '../../../controller/config/check-section.ts';
import type { CheckSettings, OrganizationSettings } from '../../../controller/config/settings.ts';
import { type NightMark, timetableKey } from '../../../controller/schedule/night.ts';
import { type NightPlan, type PlannedDevice, planNight } from '../../../controller/schedule/plan-night.ts';

/** An organization with an enabled check, for a map of organizations. */
export const organization = (
  name: string,
  check: Partial<CheckSettings> = {},
  tags: Record<string, Partial<CheckSettings>> = {},
): [string, OrganizationSettings] => [
  name,
  {
    organization: name,
    servers: ['s'],
    check: { ...DEFAULT_CHECK, enabled: true, ...check },
    tags: Object.entries(tags).map(([tag, change]) => ({ tag, check: change })),
  },
];

/** `acme-0`, `acme-1`, …, or `acme-lte-0`, … with the tag `lte`. */
export const devicesOf = (name: string, count: number, ...tags: string[]): PlannedDevice[] =>
  Array.from({ length: count }, (_, index) => ({
    device: `${[name, ...tags].join('-')}-${index}`,
    organization: name,
    tags,
  }));

const markKey = (mark: NightMark): string => `${mark.organization} ${timetableKey(mark)}`;

/** Plans, and remembers what was planned, as a controller with its store does. */
export class FleetMemory {
  done: NightMark[] = [];
  organizations: Map<string, OrganizationSettings>;
  devices: PlannedDevice[];

  constructor(organizations: [string, OrganizationSettings][], devices = devicesOf('acme', 3)) {
    this.organizations = new Map(organizations);
    this.devices = devices;
  }

  plan(time: string | number): NightPlan {
    const now_ms = typeof time === 'number' ? time : Date.parse(time);
    const { organizations, done } = this;
    const plan = planNight({ organizations, devices: () => this.devices, done, now_ms });
    const marks = new Map(done.map((mark) => [markKey(mark), mark]));
    for (const mark of plan.gone) marks.delete(markKey(mark));
    for (const mark of plan.planned) marks.set(markKey(mark), mark);
    this.done = [...marks.values()];
    return plan;
  }
}
