import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Routes, sshBoot, type Told, type Via, viaOf } from '../../../controller/drivers/routes.ts';
import type { LeaseRow, SlotEffect, SlotEvent } from '../../../controller/slots/events.ts';
import { Slots } from '../../../controller/slots/slots.ts';
import { found, request } from '../../helpers/slot-bench.ts';

/* One device with an agent and SSH, two servers, and a controller that restarts: whatever comes and goes, it is never run over both ways. */

const SERVERS = ['s1', 's2'].map((server) => ({ server, endpoint: server, host_group: null, max_bitrate: null }));
const START_WINDOW_MS = 5000;

/** What can run iperf3 on the device. */
interface Way {
  boot: string;
  is_there: boolean;
  prepared: { run: string; nonce: string; at: number } | null;
  running: { run: string; token: number; nonce: string; until: number } | null;
}

const ACTS = ['submit', 'come', 'lose', 'renew', 'ready', 'ready', 'finish', 'fail', 'charge', 'restart'] as const;
const acts = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...ACTS) },
  { weight: 1, arbitrary: fc.constantFrom(500, 3000, 20_000, 60_000) },
);

class World {
  readonly #disk = new Map<number, LeaseRow>();
  readonly #ways: Record<Via, Way> = {
    agent: { boot: 'a0', is_there: false, prepared: null, running: null },
    ssh: { boot: sshBoot('c0'), is_there: true, prepared: null, running: null },
  };
  #slots: Slots;
  #routes: Routes;
  #now = 0;
  #count = 0;

  constructor() {
    [this.#slots, this.#routes] = this.#controller();
    this.#charge(true);
  }

  act(act: (typeof ACTS)[number] | number): void {
    const { agent, ssh } = this.#ways;
    if (typeof act === 'number') this.#wait(act);
    else if (act === 'submit') this.#submit();
    else if (act === 'come' || act === 'lose') this.#agentIs(act === 'come');
    else if (act === 'renew') {
      Object.assign(agent, { boot: `a${this.#next()}`, prepared: null, running: null });
      this.#agentIs(true);
    } else if (act === 'charge') {
      this.#charge(false);
      if (agent.is_there) this.#agentIs(true);
      this.#charge(true);
    } else if (act === 'restart') {
      Object.assign(ssh, { boot: sshBoot(`c${this.#next()}`), prepared: null, running: null });
      [this.#slots, this.#routes] = this.#controller();
      this.#perform(
        this.#slots.recover(
          [...this.#disk.values()].map((row) => found(row, { servers: ['s1', 's2'] })),
          this.#now,
        ),
      );
      if (agent.is_there) this.#agentIs(true);
      this.#charge(true);
    } else for (const way of [agent, ssh]) this.#say(way, act);
  }

  /** The agent is gone for good: everything is settled, and the device is asked over SSH. */
  end(): void {
    this.#agentIs(false);
    this.#wait(300_000);
    this.#submit();
    this.#wait(20_000);
    expect(this.#slots.sightOf('d1')).toMatchObject({ online: true, boot: this.#ways.ssh.boot });
    expect(this.#ways.ssh.prepared).not.toBe(null);
  }

  #submit(): void {
    const about = { servers: ['s1', 's2'], not_before: this.#now, window_end: this.#now + 3_600_000 };
    this.#do({ type: 'submit', request: request(`r${this.#next()}`, 'd1', about) });
  }

  #controller(): [Slots, Routes] {
    const last_token = Math.max(0, this.#count, ...this.#disk.keys());
    this.#count = last_token + 1000;
    const groups = { host_groups: new Map(), uplink_groups: new Map() };
    const slots = new Slots({ servers: SERVERS, ...groups, last_token: this.#count, random: () => 0.5 });
    return [slots, new Routes({ slots, hasSsh: () => true, boot: this.#ways.ssh.boot.slice(4) })];
  }

  #next(): number {
    this.#count += 1;
    return this.#count;
  }

  #agentIs(there: boolean): void {
    this.#ways.agent.is_there = there;
    this.#tell(this.#routes.status('d1', there, this.#ways.agent.boot));
  }

  #charge(yes: boolean): void {
    this.#do({ type: 'in-charge', yes });
    this.#routes.inCharge(yes);
    if (yes) this.#tell(this.#routes.look('d1'));
  }

  #wait(ms: number): void {
    const end = this.#now + ms;
    for (let wake = this.#slots.wake(this.#now); wake <= end; wake = this.#slots.wake(this.#now)) {
      this.#now = Math.max(this.#now, wake);
      this.#do({ type: 'tick' });
    }
    this.#now = end;
  }

  #tell(told: Told | null): void {
    if (told !== null) this.#do(told);
  }

  #do(event: SlotEvent): void {
    this.#perform(this.#slots.handle(event, this.#now));
    for (const device of this.#routes.waiting) this.#tell(this.#routes.look(device));
  }

  #perform(effects: SlotEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'save-lease' || effect.type === 'granted') this.#disk.set(effect.lease.token, effect.lease);
      else if (effect.type === 'drop-lease') this.#disk.delete(effect.token);
      else if (effect.type === 'start') this.#start(effect);
      else if (effect.type === 'prepare') {
        const way = this.#ways[this.#routes.of('d1')];
        if (way.is_there && (way.running?.until ?? 0) <= this.#now)
          way.prepared = { run: effect.run, nonce: '', at: 0 };
      } else if (effect.type === 'cancel') {
        for (const way of Object.values(this.#ways)) {
          if (way.is_there && way.prepared?.run === effect.run) way.prepared = null;
        }
      }
    }
  }

  #start({ run, token, nonce, boot, lease_ms }: Extract<SlotEffect, { type: 'start' }>): void {
    const via = viaOf(boot);
    const way = this.#ways[via];
    if (!way.is_there || (via === 'ssh' && !this.#routes.in_charge)) return;
    const { prepared } = way;
    if (way.running?.token === token) return;
    if (prepared?.nonce !== nonce || this.#now - prepared.at > START_WINDOW_MS) {
      const declined = { device: 'd1', run, boot: way.boot, token, nonce, reason: 'nonce-too-old' };
      if (this.#routes.hears('d1', via, way.boot)) this.#do({ type: 'declined', ...declined });
      return;
    }
    way.prepared = null;
    way.running = { run, token, nonce, until: this.#now + lease_ms };
    const others = Object.values(this.#ways).filter((one) => one !== way);
    for (const other of others) {
      if ((other.running?.until ?? 0) > this.#now) throw new Error(`run over both ways: ${run} via ${via}`);
    }
  }

  #say(way: Way, what: 'ready' | 'finish' | 'fail'): void {
    const { boot, prepared, running } = way;
    if (!way.is_there) return;
    if (what === 'finish') {
      way.running = null;
      if (running !== null) this.#do({ type: 'finished', device: 'd1', run: running.run, token: running.token });
      return;
    }
    if (prepared === null) return;
    const about = { device: 'd1', run: prepared.run, boot };
    Object.assign(prepared, { nonce: `n${this.#next()}`, at: this.#now });
    if (!this.#routes.hears('d1', viaOf(boot), boot)) return;
    if (what === 'ready') this.#do({ type: 'ready', ...about, nonce: prepared.nonce });
    else {
      way.prepared = null;
      this.#do({ type: 'declined', ...about, token: null, nonce: null, reason: 'device-unreachable: gone' });
    }
  }
}

it('never runs a device over both ways, whatever comes and goes, and reaches it over SSH in the end', () => {
  fc.assert(
    fc.property(fc.array(acts, { maxLength: 60, size: 'max' }), (list) => {
      const world = new World();
      for (const act of list) world.act(act);
      world.end();
    }),
    { numRuns: Number(process.env['RUNS'] ?? 300) },
  );
});
