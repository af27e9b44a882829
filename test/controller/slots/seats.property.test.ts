import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { SuppressionScope } from '../../../controller/schedule/suppression.ts';
import type { SlotEffect, SlotEvent } from '../../../controller/slots/events.ts';
import { Slots } from '../../../controller/slots/slots.ts';
import { request, TEN_SECONDS } from '../../helpers/slot-bench.ts';
import { SlotModel, type World } from '../../helpers/slot-model.ts';

const DEVICES = ['d0', 'd1', 'd2', 'd3', 'd4', 'd5'];
const SERVERS = ['s0', 's1', 's2'];
const WINDOW_MS = 3_000_000;

const oneOf = <T>(...values: T[]) => fc.constantFrom(...values);

const worlds = fc
  .record({
    grouped: fc.subarray(SERVERS),
    host_capacity: oneOf(1, 2),
    behind: fc.subarray(DEVICES),
    uplink_capacity: oneOf(1, 2),
  })
  .map(({ grouped, host_capacity, behind, uplink_capacity }) => ({
    servers: SERVERS.map((server) => ({
      server,
      endpoint: server,
      host_group: grouped.includes(server) ? 'h' : null,
      max_bitrate: null,
    })),
    behind,
    host_groups: new Map([['h', { capacity: host_capacity }]]),
    uplink_groups: new Map([['u', { capacity: uplink_capacity }]]),
  }));

const scopes = oneOf<SuppressionScope>(
  { scope: 'fleet' },
  { scope: 'server', name: 's0' },
  { scope: 'server', name: 's1' },
  { scope: 'device', name: 'd0' },
  { scope: 'organization', name: 'o1' },
  { scope: 'tag', name: 'lte' },
);

const device = oneOf(...DEVICES);
const server = oneOf(...SERVERS);
const actions = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: oneOf('submit' as const),
      device,
      servers: fc.shuffledSubarray(SERVERS, { minLength: 1 }),
      organization: oneOf('o1', 'o2'),
      on_demand: fc.boolean(),
      priority: oneOf(1, 10, 10, 50),
      long: fc.boolean(),
      later_ms: oneOf(0, 0, 20_000),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: oneOf('online' as const, 'online' as const, 'offline' as const), device }) },
  { weight: 1, arbitrary: fc.record({ do: oneOf('reached' as const), device }) },
  { weight: 10, arbitrary: fc.record({ say: oneOf('ready' as const, 'finished' as const), server }) },
  {
    weight: 3,
    arbitrary: fc.record({ say: oneOf('iperf3-missing' as const, 'busy' as const, 'cross-traffic' as const), server }),
  },
  { weight: 4, arbitrary: fc.record({ do: oneOf('wait' as const), ms: oneOf(100, 3000, 12_000, 60_000, 120_000) }) },
  { weight: 1, arbitrary: fc.record({ do: oneOf('cancel' as const, 'skip' as const), run: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ do: oneOf('suppress' as const), active: fc.array(scopes, { maxLength: 2 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: oneOf('maintain' as const),
      server,
      under_way: fc.boolean(),
      in_ms: oneOf(20_000, 70_000, Number.POSITIVE_INFINITY),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: oneOf('served' as const), server, busy: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: oneOf('stranger' as const, 'probed' as const), server }) },
  { weight: 2, arbitrary: fc.record({ do: oneOf('check' as const), server }) },
  { weight: 1, arbitrary: fc.record({ do: oneOf('configure' as const), without: oneOf(null, 's1', 's2') }) },
);
type Action = typeof actions extends fc.Arbitrary<infer T> ? T : never;

type Done = Extract<Action, { do: string }>;
type Heard = Exclude<Done, { do: 'submit' | 'wait' | 'configure' | 'maintain' | 'online' | 'offline' | 'reached' }>;

/** The event of what is heard as it is. */
const eventOf = (action: Heard): SlotEvent => {
  switch (action.do) {
    case 'cancel':
    case 'skip':
      return { type: action.do, run: `r${action.run}`, reason: 'enough' };
    case 'suppress':
      return { type: 'suppressions', active: action.active };
    case 'served':
      return { type: 'served', server: action.server, busy_elsewhere: action.busy };
    case 'stranger':
      return { type: 'stranger', server: action.server, rest_ms: 30_000 };
    case 'check':
      return { type: 'check', server: action.server };
    case 'probed':
      return { type: 'probed', server: action.server, verdict: 'free' };
  }
};

/** The slots and the model, side by side. */
class Play {
  readonly #slots: Slots;
  readonly #model: SlotModel;
  readonly #world: World & { behind: string[] };
  #now = 0;
  #runs = 0;
  #gone: string | null = null;
  /** Runs with a slot: their tokens, and whether they said so. */
  readonly #tokens = new Map<string, number>();
  /** As which the devices were reached last; b1 before. */
  readonly #boots = new Map<string, string>();

  constructor(world: World & { behind: string[] }) {
    this.#world = world;
    this.#slots = new Slots({ ...world, last_token: 0, random: () => 0.5 });
    this.#model = new SlotModel(world);
    this.#do({ type: 'in-charge', yes: true });
  }

  act(action: Action): void {
    if ('say' in action) this.#speak(action.say, action.server);
    else if (action.do === 'submit') this.#submit(action);
    else if (action.do === 'wait') this.#wait(action.ms);
    else if (action.do === 'configure') this.#configure(action.without);
    else if (action.do === 'maintain') this.#maintain(action.server, action.under_way, this.#now + action.in_ms);
    else if ('device' in action) this.#reach(action.do, action.device);
    else this.#do(eventOf(action));
  }

  #boot(name: string): string {
    return this.#boots.get(name) ?? 'b1';
  }

  /** A device comes or goes, or is reached the other way than before. */
  #reach(how: 'online' | 'offline' | 'reached', name: string): void {
    if (how === 'reached') this.#boots.set(name, this.#boot(name) === 'b1' ? 'b2' : 'b1');
    const about = { device: name, boot: this.#boot(name) };
    this.#do(how === 'reached' ? { type: how, ...about } : { type: 'status', online: how === 'online', ...about });
  }

  /** Everybody is allowed, nobody answers: every run ends, and everything is idle and forgotten. */
  end(): void {
    this.#configure(null);
    this.#do({ type: 'suppressions', active: [] });
    for (const name of SERVERS) this.#maintain(name, false, Number.POSITIVE_INFINITY);
    this.#wait(2 * WINDOW_MS);
    expect([...this.#model.runs.values()].filter(({ at }) => at !== 'over' && at !== 'stopping')).toEqual([]);
    expect(this.#slots.view().map(({ state, on_deck }) => ({ state, on_deck }))).toEqual(
      SERVERS.map(() => ({ state: 'idle', on_deck: null })),
    );
    expect(this.#slots.wake(this.#now)).toBe(Number.POSITIVE_INFINITY);
  }

  #submit({ device: name, long, later_ms, do: _, ...more }: Extract<Done, { do: 'submit' }>): void {
    const run = `r${this.#runs}`;
    this.#runs += 1;
    const about = {
      ...more,
      tags: name === 'd1' ? ['lte'] : [],
      uplink_group: this.#world.behind.includes(name) ? 'u' : null,
      tests: [{ ...TEN_SECONDS, duration_s: long ? 40 : 10 }],
      not_before: this.#now + later_ms,
      window_end: this.#now + WINDOW_MS,
    };
    this.#do({ type: 'submit', request: request(run, name, about) });
  }

  /** What the device that is on deck at a server, or holds its slot, says. */
  #speak(what: Extract<Action, { say: string }>['say'], name: string): void {
    const view = this.#slots.view().find((one) => one.server === name);
    if (what === 'finished') {
      if (!view?.run || view.device === null) return;
      this.#do({ type: 'finished', device: view.device, run: view.run, token: this.#tokens.get(name) ?? 0 });
      return;
    }
    if (!view?.on_deck) return;
    const { device: spoke, run } = view.on_deck;
    const about = { device: spoke, run, boot: this.#boot(spoke) };
    if (what === 'ready') this.#do({ type: 'ready', ...about, nonce: `n${this.#now}` });
    else this.#do({ type: 'declined', ...about, token: null, nonce: null, reason: what });
  }

  #maintain(name: string, under_way: boolean, next_at: number): void {
    if (name === this.#gone) return;
    this.#do({ type: 'maintenance', server: name, under_way, next_at });
  }

  /** Who has no server any more has no maintenance either. */
  #configure(without: string | null): void {
    if (without !== null) this.#maintain(without, false, Number.POSITIVE_INFINITY);
    const servers = this.#world.servers.filter((one) => one.server !== without);
    this.#slots.configure({ ...this.#world, servers });
    this.#gone = without;
    this.#model.configured(servers.map((one) => one.server));
    this.#do({ type: 'tick' });
  }

  #wait(ms: number): void {
    const end = this.#now + ms;
    for (let wake = this.#slots.wake(this.#now); wake <= end; wake = this.#slots.wake(this.#now)) {
      this.#now = Math.max(this.#now, wake);
      this.#do({ type: 'tick' });
      expect(this.#slots.wake(this.#now)).toBeGreaterThan(this.#now);
    }
    this.#now = end;
  }

  #do(event: SlotEvent): void {
    this.#model.hear(event, this.#now);
    const effects: SlotEffect[] = this.#slots.handle(event, this.#now);
    for (const effect of effects) if (effect.type === 'start') this.#tokens.set(effect.server, effect.token);
    this.#model.see(effects, this.#now);
    this.#model.check(this.#slots, this.#now);
  }
}

it('never leaves a seat open for somebody who may take it, nor gives one to somebody who may not, nor loses a run', () => {
  fc.assert(
    fc.property(worlds, fc.array(actions, { maxLength: 120, size: 'max' }), (world, list) => {
      const play = new Play(world);
      for (const action of list) play.act(action);
      play.end();
    }),
    { numRuns: Number(process.env['RUNS'] ?? 300) },
  );
});
