import type { Accounts } from './state/server.ts';

/*
 * Start-time fair queueing (Goyal, Vin and Cheng, 1996): each organization has an account on each server, which says up to what virtual
 * time it has been served there. The one that is furthest behind goes next. What it gets moves its account on by time ÷ weight, so over
 * a long backlog the shares are as the weights, and who comes late starts at the present: nobody saves up, and nobody starves.
 */

/** An account book is not cleared up before it has this many entries. */
const FEW = 16;

export const emptyAccounts = (): Accounts => ({ virtual_time: 0, finish: new Map() });

/** The virtual time at which the organization's next run would start: the least goes next. */
export const startOf = ({ virtual_time, finish }: Accounts, organization: string): number =>
  Math.max(finish.get(organization) ?? 0, virtual_time);

/** The organization gets the server, for `ms` as far as is known. */
export const charge = (accounts: Accounts, organization: string, ms: number, weight: number): void => {
  const { finish } = accounts;
  const start = startOf(accounts, organization);
  accounts.virtual_time = start;
  const known = finish.size;
  finish.set(organization, start + ms / weight);
  // Who is behind the present has nothing to remember. Looked for when the book has doubled, so at no cost to speak of.
  if (finish.size === known || finish.size < FEW || (finish.size & (finish.size - 1)) !== 0) return;
  for (const [name, until] of finish) if (until <= start) finish.delete(name);
};

/** The organization has had the server for `ms` more than it was charged for; less than nothing when it took less. */
export const settle = (accounts: Accounts, organization: string, ms: number, weight: number): void => {
  const { finish, virtual_time } = accounts;
  finish.set(organization, (finish.get(organization) ?? virtual_time) + ms / weight);
};
