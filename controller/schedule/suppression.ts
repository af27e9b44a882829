/** What can be suppressed. */
export const SCOPES = ['fleet', 'organization', 'server', 'device', 'tag'] as const;
type Scope = (typeof SCOPES)[number];

/** What a suppression names: the whole fleet, or one organization, server, device, or all devices with a tag. */
export type SuppressionScope = { scope: 'fleet' } | { scope: Exclude<Scope, 'fleet'>; name: string };

/** A suppression as it was set. Milliseconds since 1970; `until_ms` null: until somebody lifts it. */
export interface Suppression {
  what: SuppressionScope;
  until_ms: number | null;
  reason: string | null;
  since_ms: number;
}

/** No suppression ends later by itself, in milliseconds since 1970: times with more than four digits in the year are not read everywhere. */
export const LATEST_END_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** The two words of a scope as one; the fleet has no name. */
export const scopeOf = (scope: Scope, name: string): SuppressionScope =>
  scope === 'fleet' ? { scope } : { scope, name };

/** A scope as people say it: `the fleet`, `device ap-12`, `every device with tag lte`. */
export const scopeWords = (what: SuppressionScope): string => {
  if (what.scope === 'fleet') return 'the fleet';
  return what.scope === 'tag' ? `every device with tag ${what.name}` : `${what.scope} ${what.name}`;
};

/** Whether two suppressions are of the same. */
export const sameScope = (one: SuppressionScope, other: SuppressionScope): boolean =>
  scopeWords(one) === scopeWords(other);

/** Those whose time has not passed. */
export const inForce = (all: readonly Suppression[], now_ms: number): Suppression[] =>
  all.filter(({ until_ms }) => until_ms === null || now_ms < until_ms);

/** When the first of those in force ends by itself; null when none does. */
export const nextEnd = (all: readonly Suppression[], now_ms: number): number | null => {
  const ends = inForce(all, now_ms).flatMap(({ until_ms }) => until_ms ?? []);
  return ends.length === 0 ? null : Math.min(...ends);
};

/** Whether a suppression keeps the device from being measured, whatever the server. */
export const suppressesDevice = (
  active: readonly SuppressionScope[],
  { device, organization, tags }: { device: string; organization: string; tags: readonly string[] },
): boolean =>
  active.some(
    (one) =>
      one.scope === 'fleet' ||
      (one.scope === 'organization' && one.name === organization) ||
      (one.scope === 'device' && one.name === device) ||
      (one.scope === 'tag' && tags.includes(one.name)),
  );

/** Whether a suppression keeps the server from being used, whoever the device is. */
export const suppressesServer = (active: readonly SuppressionScope[], server: string): boolean =>
  active.some((one) => one.scope === 'fleet' || (one.scope === 'server' && one.name === server));
