import { parseInbound } from '../broker/contract/inbound.ts';
import type { TestPlan } from '../broker/contract/messages.ts';
import { eventTopic } from '../broker/contract/topics.ts';
import type { SlotEffect, SlotEvent } from './slots/events.ts';
import { Slots } from './slots/slots.ts';
import type { Store } from './store/store.ts';

/** Once more than once: what was called a few times is compiled better. */
const TIMES = 3;

const NAME = 'rehearsal';
const HOST = '127.0.0.1';

const TESTS: TestPlan[] = [
  {
    ...{ test: 'tcp-upload', protocol: 'tcp', direction: 'upload', duration_s: 10, omit_s: 0, streams: 1 },
    ...{ bitrate: null, length: null, window: null, congestion: null },
  },
];

/** What the device says, as it comes over MQTT, and what the slots make of it. */
const playSlots = (): SlotEffect[] => {
  const slots = new Slots({
    servers: [{ server: NAME, endpoint: `${HOST}:5201`, host_group: null, max_bitrate: null }],
    host_groups: new Map(),
    uplink_groups: new Map(),
    last_token: 0,
    random: () => 0,
  });
  const request = {
    ...{ run: NAME, device: NAME, organization: NAME, tags: [], servers: [NAME], uplink_group: null, tests: TESTS },
    ...{ on_demand: true, priority: 1, max_cross_traffic: null, not_before: 0, window_end: 1000 },
  };
  const said = (event: object): SlotEvent[] => {
    const heard = parseInbound(eventTopic(NAME), Buffer.from(JSON.stringify({ ...event, run: NAME, boot: NAME })));
    return heard.kind === 'event' ? [{ ...heard.payload, device: NAME }] : [];
  };
  const events: SlotEvent[] = [
    { type: 'in-charge', yes: true },
    { type: 'status', device: NAME, online: true, boot: NAME },
    { type: 'submit', request },
    ...said({ type: 'ready', nonce: NAME }),
    ...said({ type: 'started', token: 1, nonce: NAME }),
    ...said({ type: 'finished', token: 1 }),
  ];
  return events.flatMap((event) => slots.handle(event, 0));
};

/** What is read and written of a run until it has its slot. */
const playStore = (store: Store): void => {
  const token = store.leases.lastToken() + 1;
  const row = { run: NAME, device: NAME, server: NAME, tests: TESTS, token };
  const asked = { origin: 'demand', night: null, requested_at_ms: 0, not_before_ms: 0, window_end_ms: 0 } as const;
  store.runs.add([{ ...row, ...asked, organization: NAME }]);
  store.runs.get(NAME);
  store.leases.save({ ...row, endpoint: HOST, nonce: NAME, boot: NAME, lease_ms: 0, granted: false });
  store.runs.noteGrant({ ...row, via: 'agent', at_ms: 0 });
  store.moved.note({ ...row, at_ms: 0, bytes: 0 });
  store.leases.drop(token);
};

/**
 * Plays whole runs with slots of their own, does nothing of what these decide, and returns it; what is written is taken back. V8, zod and
 * SQLite compile what they use for the first time, 20 ms in all: without this they would do so while an iperf3 server waits.
 */
export const rehearse = (store: Store): SlotEffect[] => {
  let played: SlotEffect[] = [];
  for (let time = 0; time < TIMES; time += 1) {
    store.takenBack(() => playStore(store));
    played = playSlots();
  }
  return played;
};
