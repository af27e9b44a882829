import type { Character } from './character.ts';
import type { LawName } from './laws/broken-law.ts';
import type { PromiseName } from './promises.ts';

/** A world in which one promise is not kept. */
export interface BrokenPromise {
  promise: PromiseName;
  /** Its place in docs/protocol.md, or in the design of the schedule. */
  rule: string;
  /** What is done to the world. */
  what: string;
  /** Laws that are found broken; any of them will do. */
  laws: readonly LawName[];
  /** Nights in which it comes to bear. */
  character: Partial<Character>;
}

const BAD = { loss: 0.2, doubling: 0.3, slow: 0.4, slow_ms: 20_000 };
const WRITTEN = { is_calm: false, real: 0 } as const;
const ROUGH = { ...WRITTEN, up: BAD, down: BAD } as const;
/** A start can be on its way for longer than a lease. */
const LATE = { ...ROUGH, down: { loss: 0.6, doubling: 0, slow: 0.7, slow_ms: 90_000 } } as const;
const CRASHES = { ...WRITTEN, device_troubles: 20 } as const;
const RESTARTS = { ...WRITTEN, controller_troubles: 30 } as const;
const TWO = { ...WRITTEN, controllers: 2, controller_troubles: 30 } as const;

const TWO_CLIENTS: readonly LawName[] = [
  'one client on a server',
  'host group capacity',
  'one run on a device',
  'no probe of a client of ours',
];

/** A slot is given up while its client runs. */
const FREED_TOO_SOON: readonly LawName[] = [
  ...TWO_CLIENTS,
  'the lease of a client is on disk',
  'the slot names who runs',
];

/** One entry for each promise. */
export const BROKEN_PROMISES: readonly BrokenPromise[] = [
  {
    promise: 'start-window',
    rule: 'L1',
    what: 'the agent takes nonces of any age',
    laws: TWO_CLIENTS,
    character: LATE,
  },
  {
    promise: 'fresh-nonces',
    rule: 'R1',
    what: 'each ready of a run carries the same nonce',
    laws: TWO_CLIENTS,
    character: LATE,
  },
  {
    promise: 'start-names-its-server',
    rule: 'L1a',
    what: 'the agent starts what it prepared last, whatever the start is for',
    laws: ['a client runs where its token says', ...TWO_CLIENTS],
    character: { ...ROUGH, device_troubles: 20 },
  },
  {
    promise: 'start-counts-once',
    rule: 'L2',
    what: 'a token that is over runs again when its start comes again',
    laws: TWO_CLIENTS,
    character: ROUGH,
  },
  {
    promise: 'every-start-is-answered',
    rule: 'L3',
    what: 'the agent is silent when it does not take a start',
    laws: ['every start is answered'],
    character: ROUGH,
  },
  {
    promise: 'declined-token-is-dead',
    rule: 'L3',
    what: 'the agent begins a declined token when its run is prepared again',
    laws: ['a client runs where its token says', ...TWO_CLIENTS],
    character: ROUGH,
  },
  {
    promise: 'running-token-is-not-declined',
    rule: 'L3',
    what: 'the agent declines a second copy of the start that it runs',
    laws: FREED_TOO_SOON,
    character: ROUGH,
  },
  {
    promise: 'start-is-repeated-byte-for-byte',
    rule: 'L4',
    what: 'a repeated start carries another nonce',
    laws: ['one start a token'],
    character: ROUGH,
  },
  {
    promise: 'ends-are-bounded',
    rule: 'L5',
    what: 'neither agent nor guard ends a test that takes too long',
    laws: [...TWO_CLIENTS, 'no server is lost'],
    character: { ...WRITTEN, syn_loss: 0.3, link_loss: 0.5 },
  },
  {
    promise: 'guard',
    rule: 'L7',
    what: 'iperf3 runs on when its agent has died',
    laws: [...TWO_CLIENTS, 'no server is lost'],
    character: { ...CRASHES, syn_loss: 0.5, link_loss: 0.3 },
  },
  {
    promise: 'leftovers-end-first',
    rule: 'L8',
    what: 'an agent connects beside what an earlier one left running',
    laws: TWO_CLIENTS,
    character: { ...CRASHES, deaf: 1, syn_loss: 0.3, link_loss: 0.3 },
  },
  {
    promise: 'lock',
    rule: 'L8',
    what: 'two agents run on one device',
    laws: TWO_CLIENTS,
    character: CRASHES,
  },
  {
    promise: 'one-name-one-device',
    rule: 'T7',
    what: 'two devices have the same name and password',
    laws: [...TWO_CLIENTS, 'uplink group capacity'],
    character: { ...WRITTEN, link_loss: 0.2, syn_loss: 0.3 },
  },
  {
    promise: 'finished-when-gone',
    rule: 'F1',
    what: 'the agent says finished when the time of its tests is up, be iperf3 through or not',
    laws: FREED_TOO_SOON,
    character: WRITTEN,
  },
  {
    promise: 'declined-when-gone',
    rule: 'C1',
    what: 'the agent answers a cancel before iperf3 is gone',
    laws: FREED_TOO_SOON,
    character: { ...WRITTEN, people: 12 },
  },
  {
    promise: 'result-before-finished',
    rule: 'F1',
    what: 'the result is only in memory when finished is said',
    laws: ['nothing finished is lost'],
    character: { ...ROUGH, device_troubles: 20 },
  },
  {
    promise: 'result-kept-until-accepted',
    rule: 'F2',
    what: 'the agent forgets a result that it has sent once',
    laws: ['nothing finished is lost'],
    character: ROUGH,
  },
  {
    promise: 'accepted-when-stored',
    rule: 'F4',
    what: 'the controller accepts results before they are on disk',
    laws: ['nothing finished is lost'],
    character: RESTARTS,
  },
  {
    promise: 'accepted-when-on-disk',
    rule: 'F4',
    what: 'the controller accepts results that it loses in a power cut',
    laws: ['nothing finished is lost'],
    character: RESTARTS,
  },
  {
    promise: 'offline-frees-nothing',
    rule: 'L9',
    what: 'the controller takes an offline device for one that has finished',
    laws: FREED_TOO_SOON,
    character: CRASHES,
  },
  {
    promise: 'new-boot-is-asked',
    rule: 'L10',
    what: 'the controller takes a new boot for the end of what the one before ran',
    laws: ['nobody is sent into a ghost', ...FREED_TOO_SOON],
    character: CRASHES,
  },
  {
    promise: 'quarantine',
    rule: 'L11',
    what: 'iperf3 keeps dead sessions three times longer',
    laws: ['nobody is sent into a ghost'],
    character: CRASHES,
  },
  {
    promise: 'leased-is-not-probed',
    rule: 'L11',
    what: 'the controller probes leased servers too',
    laws: ['no probe of a client of ours'],
    character: WRITTEN,
  },
  {
    promise: 'lease-before-start',
    rule: 'L12',
    what: 'a lease on deck is not on disk yet when the controller dies',
    laws: ['the lease is on disk before its start', 'the lease of a client is on disk', ...TWO_CLIENTS],
    character: { ...RESTARTS, controller_troubles: 12 },
  },
  {
    promise: 'lease-survives-power-cut',
    rule: 'L12',
    what: 'a start does not wait until its lease is on disk',
    laws: ['the lease of a client is on disk', ...TWO_CLIENTS],
    character: RESTARTS,
  },
  {
    promise: 'restart-takes-leases',
    rule: 'L13',
    what: 'a restart finds no lease',
    laws: ['the lease of a client is on disk', ...TWO_CLIENTS],
    character: RESTARTS,
  },
  {
    promise: 'tokens-grow',
    rule: 'L13',
    what: 'a restart counts its tokens from 1 again',
    laws: ['tokens grow', 'one start a token'],
    character: RESTARTS,
  },
  {
    promise: 'claim-is-obeyed',
    rule: 'L14',
    what: 'a newcomer does not give way',
    laws: TWO_CLIENTS,
    character: TWO,
  },
  {
    promise: 'claim-is-repeated',
    rule: 'L14',
    what: 'who is in charge does not repeat its claim',
    laws: TWO_CLIENTS,
    character: TWO,
  },
  {
    promise: 'claim-waits',
    rule: 'L14',
    what: 'a controller does not wait after its claim',
    laws: TWO_CLIENTS,
    character: TWO,
  },
  {
    promise: 'slots-are-shown',
    rule: 'L14',
    what: 'nobody is told who holds a slot',
    laws: ['the slot names who runs'],
    character: WRITTEN,
  },
  {
    promise: 'slots-are-shown-first',
    rule: 'H1',
    what: 'who holds a slot is told some time after its start',
    laws: ['the slot names who runs'],
    character: WRITTEN,
  },
  {
    promise: 'strangers-rest',
    rule: 'L14',
    what: 'the retained slots of another controller are not read',
    laws: [...TWO_CLIENTS, 'nobody is sent into a ghost'],
    character: TWO,
  },
  {
    promise: 'unreachable-is-not-in-charge',
    rule: 'L15',
    what: 'a controller that was cut off goes on as if it were in charge',
    laws: TWO_CLIENTS,
    character: TWO,
  },
  {
    promise: 'night-with-its-runs',
    rule: 'schedule',
    what: 'a night is on disk before its runs are',
    laws: ['nobody is left out'],
    character: RESTARTS,
  },
  {
    promise: 'one-run-a-night',
    rule: 'schedule',
    what: 'a restart does not know which nights were planned',
    laws: ['one run a night'],
    character: RESTARTS,
  },
];
