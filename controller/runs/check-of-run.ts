import { DEFAULT_CHECK } from '../config/check-section.ts';
import type { CheckSettings, Settings } from '../config/settings.ts';
import { checkOf } from '../schedule/check-of.ts';
import type { Store } from '../store/store.ts';

/** The check that holds for a run, by its organization and the tags of its device. The default one when the organization left the settings. */
export const checkOfRun = (
  { device, organization }: { device: string; organization: string },
  settings: Settings,
  store: Pick<Store, 'devices'>,
): CheckSettings => {
  const known = settings.organizations.get(organization);
  return known === undefined ? DEFAULT_CHECK : checkOf(known, store.devices.get(device)?.tags ?? []);
};
