import type { LeaseRow, RunRequest, SlotEffect, SlotEvent } from '../../controller/slots/events.ts';
import { type SlotOptions, Slots } from '../../controller/slots/slots.ts';
import { testPlan } from './test-plan.ts';

/** A test of 10 s: its lease is 25 s, its deadline 31 s after the start, the rest after an unclean end 50 s. */
export const TEN_SECONDS = testPlan();
export const LEASE_MS = 25_000;
export const DEADLINE_MS = 31_000;
export const REST_MS = 50_000;

export const request = (run: string, device: string, more: Partial<RunRequest> = {}): RunRequest => ({
  run,
  device,
  organization: 'default',
  tags: [],
  servers: ['s1'],
  uplink_group: null,
  tests: [TEN_SECONDS],
  on_demand: false,
  priority: 10,
  max_cross_traffic: null,
  not_before: 0,
  window_end: 3_600_000,
  ...more,
});

export const row = (token: number, run: string, device: string, more: Partial<LeaseRow> = {}): LeaseRow => ({
  token,
  run,
  device,
  server: 's1',
  endpoint: more.server ?? 's1',
  nonce: `n-${run}`,
  boot: `${device}-b1`,
  lease_ms: LEASE_MS,
  tests: [TEN_SECONDS],
  granted: true,
  ...more,
});

/** A lease as it is found on disk, of a run that still counts. */
export const found = (lease: LeaseRow, more: Partial<RunRequest> = {}) => ({
  row: lease,
  request: request(lease.run, lease.device, more),
  over: null as { cancel: string | null } | null,
});

type Effect<T extends SlotEffect['type']> = Extract<SlotEffect, { type: T }>;

export const only = <T extends SlotEffect['type']>(effects: readonly SlotEffect[], type: T): Effect<T>[] =>
  effects.filter((effect): effect is Effect<T> => effect.type === type);

/** The slots with a hand on the clock. It is in charge unless told otherwise; a device's boots are `d1-b1`, `d1-b2` … */
export class SlotBench {
  readonly slots: Slots;
  now = 0;

  constructor(options: Partial<SlotOptions> & { in_charge?: boolean } = {}) {
    const { in_charge = true, ...rest } = options;
    const servers = [{ server: 's1', endpoint: 's1', host_group: null, max_bitrate: null }];
    const groups = { host_groups: new Map(), uplink_groups: new Map() };
    this.slots = new Slots({ servers, ...groups, last_token: 0, random: () => 0.5, ...rest });
    if (in_charge) this.do({ type: 'in-charge', yes: true });
  }

  do(event: SlotEvent): SlotEffect[] {
    return this.slots.handle(event, this.now);
  }

  /** Lets time pass, with a tick whenever the slots asked for one. */
  wait(ms: number): SlotEffect[] {
    const end = this.now + ms;
    const effects: SlotEffect[] = [];
    for (let wake = this.slots.wake(this.now); wake <= end; wake = this.slots.wake(this.now)) {
      this.now = Math.max(this.now, wake);
      effects.push(...this.do({ type: 'tick' }));
    }
    this.now = end;
    return effects;
  }

  online(device: string, boot = `${device}-b1`): SlotEffect[] {
    return this.do({ type: 'status', device, online: true, boot });
  }

  offline(device: string, boot = `${device}-b1`): SlotEffect[] {
    return this.do({ type: 'status', device, online: false, boot });
  }

  submit(run: string, device: string, more: Partial<RunRequest> = {}): SlotEffect[] {
    return this.do({ type: 'submit', request: request(run, device, more) });
  }

  ready(run: string, device: string, nonce = `n-${run}`, boot = `${device}-b1`): SlotEffect[] {
    return this.do({ type: 'ready', device, run, boot, nonce });
  }

  started(run: string, device: string, token: number, boot = `${device}-b1`): SlotEffect[] {
    return this.do({ type: 'started', device, run, boot, token });
  }

  finished(run: string, device: string, token: number): SlotEffect[] {
    return this.do({ type: 'finished', device, run, token });
  }

  /** The answer to a `start` that came too late; `nonce` as in the start. */
  declined(run: string, device: string, token: number, boot = `${device}-b1`, nonce = `n-${run}`): SlotEffect[] {
    return this.do({ type: 'declined', device, run, boot, token, nonce, reason: 'nonce-too-old: late' });
  }

  /** The answer to a `prepare`. */
  refused(run: string, device: string, reason: string): SlotEffect[] {
    return this.do({ type: 'declined', device, run, boot: `${device}-b1`, token: null, nonce: null, reason });
  }

  /** A run from its submission to its start. */
  begin(run: string, device: string, more: Partial<RunRequest> = {}): SlotEffect[] {
    this.online(device);
    this.submit(run, device, more);
    return this.ready(run, device);
  }

  get states(): string[] {
    return this.slots.view().map(({ state }) => state);
  }
}
