import type { Endpoint } from './state/group.ts';
import type { OnDeck } from './state/hold.ts';
import type { Server } from './state/server.ts';
import type { SlotState } from './state/slot-state.ts';
import { touch } from './touched.ts';

/*
 * One iperf3 server, one client, whatever its name. After a reload a lease or a rest may belong to a name that is gone, or that has another
 * address by now, while a new name has the old address. So what holds a slot remembers the address that it was granted for, and nobody is
 * granted anything there under another name until it is over.
 */

const NOBODY: readonly Server[] = [];

/** What holds an address. */
type Holding = Pick<Server, 'lease' | 'quarantine' | 'on_deck' | 'found' | 'probe'>;

/** Host names that differ in case, or in the dot at their end, are one. */
const keyOf = (address: string): string => address.toLowerCase().replace(/\.(?=:)/, '');

const endpointAt = (state: SlotState, address: string): Endpoint => {
  const key = keyOf(address);
  const endpoint = state.endpoints.get(key) ?? { key, members: new Set(), holders: new Set() };
  state.endpoints.set(key, endpoint);
  return endpoint;
};

/** The same for an address of this server: mostly the one that it has now. */
const endpointOf = (state: SlotState, server: Server, address: string): Endpoint =>
  server.endpoint !== null && server.address === address ? server.endpoint : endpointAt(state, address);

const forgetUnused = (state: SlotState, { key, members, holders }: Endpoint): void => {
  if (members.size === 0 && holders.size === 0) state.endpoints.delete(key);
};

const heldBy = (
  state: SlotState,
  server: Server,
  { lease, quarantine, on_deck, found, probe }: Holding,
): Endpoint[] => {
  const held: Endpoint[] = [];
  if (lease !== null) held.push(endpointOf(state, server, lease.row.endpoint));
  if (quarantine !== null) held.push(endpointOf(state, server, quarantine.endpoint));
  if (on_deck?.recovered) held.push(endpointOf(state, server, on_deck.endpoint));
  if (probe !== null) held.push(endpointOf(state, server, probe.endpoint));
  for (const { endpoint } of found) held.push(endpointOf(state, server, endpoint));
  return held;
};

/** Notes which addresses the server holds now; `before` is what it held them by. Who waits for one that it gave back is looked at. */
export const noteHolding = (state: SlotState, server: Server, before: Holding): void => {
  const isOnDeck = before.on_deck?.recovered || server.on_deck?.recovered;
  const isSame =
    before.lease === server.lease && before.quarantine === server.quarantine && before.probe === server.probe;
  if (isSame && !isOnDeck) return;
  const has = heldBy(state, server, server);
  for (const endpoint of has) endpoint.holders.add(server);
  for (const endpoint of heldBy(state, server, before)) {
    if (has.includes(endpoint)) continue;
    endpoint.holders.delete(server);
    for (const other of [...endpoint.members, ...endpoint.holders]) touch(state, other);
    forgetUnused(state, endpoint);
  }
};

/** The server has this address from now on; null when it is forgotten. What it holds stays where it is. */
export const moveTo = (state: SlotState, server: Server, address: string | null): void => {
  const { endpoint } = server;
  if (endpoint !== null) {
    server.endpoint = null;
    endpoint.members.delete(server);
    forgetUnused(state, endpoint);
  }
  if (address === null) return;
  server.address = address;
  server.endpoint = endpointAt(state, address);
  server.endpoint.members.add(server);
};

/** The servers that hold this one's address under another name. */
export const holdersBeside = (server: Server): readonly Server[] => {
  const holders = server.endpoint?.holders;
  if (holders === undefined || holders.size === (holders.has(server) ? 1 : 0)) return NOBODY;
  return [...holders].filter((holder) => holder !== server);
};

/** Whether a lease found on disk must wait for those that hold its address: what was granted earlier goes first. */
export const mustWait = (state: SlotState, server: Server, { endpoint, token }: Pick<OnDeck, 'endpoint' | 'token'>) => {
  for (const holder of state.endpoints.get(keyOf(endpoint))?.holders ?? []) {
    const { lease, quarantine, on_deck } = holder;
    if (holder === server) continue;
    if (lease !== null || quarantine !== null || (on_deck?.recovered && on_deck.token < token)) return true;
  }
  return false;
};
