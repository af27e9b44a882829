/** What a suppression names: the whole fleet, or one organization, server, device, or all devices with a tag. */
export type SuppressionScope =
  | { scope: 'fleet' }
  | { scope: 'organization' | 'server' | 'device' | 'tag'; name: string };

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

/** Whether a suppression keeps the server from being used. */
export const suppressesServer = (active: readonly SuppressionScope[], server: string): boolean =>
  active.some((one) => one.scope === 'server' && one.name === server);
