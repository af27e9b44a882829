import { InvalidArgumentError } from 'commander';
import { Id } from '../../broker/contract/messages.ts';

const MAC_WITH_COLONS = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;

/** Checks a name that a person typed as the controller will; for commander, which says what is wrong and exits with 2. */
export const typedName = (text: string): string => {
  if (Id.safeParse(text).success) return text;
  if (MAC_WITH_COLONS.test(text)) {
    throw new InvalidArgumentError(`A MAC address has no colons here: write ${text.replaceAll(':', '').toLowerCase()}`);
  }
  throw new InvalidArgumentError('A name is 1 to 64 letters, digits, "_" or "-".');
};
