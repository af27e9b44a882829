import { HOST_KEY } from '../config/built-in-alerts.ts';
import type { Settings } from '../config/settings.ts';
import { checkOf, isScheduled } from '../schedule/check-of.ts';
import type { Store } from '../store/store.ts';
import type { Subject } from './notice.ts';
import { endAlerts, whyEnded } from './reconcile.ts';
import type { RuleIndex, ScopedDevice } from './rule-index.ts';
import type { SubjectStates } from './state.ts';
import type { Teller } from './teller.ts';

/** Whether the schedule measures the device. */
export const isChecked = (
  { organizations }: Pick<Settings, 'organizations'>,
  { organization, tags }: Pick<ScopedDevice, 'organization' | 'tags'>,
): boolean => {
  const known = organizations.get(organization);
  return known !== undefined && checkOf(known, tags).enabled;
};

/** Whether the schedule measures anybody against the server. */
export const isServerChecked = ({ organizations }: Pick<Settings, 'organizations'>, server: string): boolean =>
  [...organizations.values()].some((one) => one.servers.includes(server) && isScheduled(one));

const wasRemoved = (name: string): string => `${name} was removed`;

/** What was resolved is looked at so often: nobody waits for it. */
const ALL_EVERY_MS = 86_400_000;

/** Ends alerts that no value will end any more. */
export class Endings {
  readonly #states: Store['alertStates'];
  readonly #teller: Teller;
  readonly #settings: () => Settings;
  #all: { index: RuleIndex; next_ms: number } | null = null;

  constructor(states: Store['alertStates'], teller: Teller, settings: () => Settings) {
    this.#states = states;
    this.#teller = teller;
    this.#settings = settings;
  }

  /** Looks at all that is pending or firing; with new rules, and once a day, also forgets what was resolved long ago. Returns how many notices there are now to be delivered. */
  look(index: RuleIndex, now_ms: number): number {
    const printOf = (rule: string) => index.get(rule)?.print ?? null;
    const all = this.#all?.index !== index || this.#all.next_ms <= now_ms;
    if (all) this.#all = { index, next_ms: now_ms + ALL_EVERY_MS };
    return this.#states.open({ all }).reduce((notices, { kind, name, states }) => {
      const { organization, ...about } = kind === 'device' ? this.#ofDevice(name) : this.#ofServer(name);
      const left = endAlerts(states, whyEnded(states, { name, now_ms, printOf, ...about }));
      return notices + this.#put({ kind, name }, organization, states, left, now_ms);
    }, 0);
  }

  /** All alerts of a device, which is about to be removed. */
  ofRemoved(device: string, now_ms: number): number {
    const subject: Subject = { kind: 'device', name: device };
    const organization = this.#states.device(device)?.organization ?? null;
    const { changes } = endAlerts(this.#states.get(subject), () => wasRemoved(device));
    this.#states.remove(subject);
    return this.#teller.tell(subject, organization, changes, now_ms);
  }

  /** The alert about the host key of a device, which people trust now. */
  ofTrusted(device: string, now_ms: number): number {
    const subject: Subject = { kind: 'device', name: device };
    const before = this.#states.get(subject);
    const left = endAlerts(before, (_, { alert }) => (alert?.metric === HOST_KEY ? 'its host key was trusted' : null));
    return this.#put(subject, this.#states.device(device)?.organization ?? null, before, left, now_ms);
  }

  #put(
    subject: Subject,
    organization: string | null,
    before: SubjectStates,
    { states, changes }: ReturnType<typeof endAlerts>,
    now_ms: number,
  ): number {
    if (Object.keys(states.rules).length < Object.keys(before.rules).length) this.#states.put(subject, states);
    return this.#teller.tell(subject, organization, changes, now_ms);
  }

  #ofDevice(name: string) {
    const row = this.#states.device(name);
    const check_is_on = row !== null && isChecked(this.#settings(), row);
    return { gone: row === null ? wasRemoved(name) : null, check_is_on, organization: row?.organization ?? null };
  }

  #ofServer(name: string) {
    const { servers, organizations } = this.#settings();
    const users = [...organizations.values()].filter((one) => one.servers.includes(name));
    const unused = users.length > 0 ? null : `no organization uses ${name} any more`;
    const gone = servers.has(name) ? unused : wasRemoved(name);
    return { gone, check_is_on: users.some(isScheduled), organization: null };
  }
}
