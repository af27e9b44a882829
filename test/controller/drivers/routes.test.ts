import { describe, expect, it } from 'vitest';
import { Routes, sshBoot, type Told, viaOf } from '../../../controller/drivers/routes.ts';
import type { SlotEffect } from '../../../controller/slots/events.ts';
import { found, only, row, SlotBench } from '../../helpers/slot-bench.ts';

const OWN = sshBoot('c1');

/** The slots and the routes to their devices, as controller/runs/reach.ts joins them. */
class Ways {
  readonly bench = new SlotBench({ in_charge: false });
  readonly with_ssh = new Set(['d1']);
  readonly routes = new Routes({
    slots: this.bench.slots,
    hasSsh: (device) => this.with_ssh.has(device),
    boot: 'c1',
  });

  /** In charge, unless told otherwise. */
  constructor(in_charge = true) {
    if (in_charge) this.charge(true);
  }

  charge(yes: boolean): SlotEffect[] {
    const effects = this.bench.do({ type: 'in-charge', yes });
    this.routes.inCharge(yes);
    if (!yes) return effects;
    return [...effects, ...[...this.with_ssh].flatMap((device) => this.tell(this.routes.look(device)))];
  }

  tell(told: Told | null): SlotEffect[] {
    const effects = told === null ? [] : this.bench.do(told);
    return [...effects, ...this.step()];
  }

  /** After what the bench did by itself. */
  step(): SlotEffect[] {
    return [...this.routes.waiting].flatMap((device) => {
      const told = this.routes.look(device);
      return told === null ? [] : this.bench.do(told);
    });
  }

  agent(online: boolean, boot = 'a1', device = 'd1'): SlotEffect[] {
    return this.tell(this.routes.status(device, online, boot));
  }

  known(device = 'd1') {
    const { online, boot } = this.bench.slots.sightOf(device) ?? { online: false, boot: null };
    return online ? boot : 'offline';
  }

  /** A run of the device that holds the slot, over the way on which it is reached. */
  lease(boot: string): void {
    this.bench.submit('r1', 'd1');
    this.bench.ready('r1', 'd1', 'n-r1', boot);
    this.step();
  }

  finish(): void {
    this.bench.finished('r1', 'd1', 1);
    this.step();
  }
}

it('tells by its boot which way somebody speaks', () => {
  expect([viaOf(OWN), viaOf('5f0c'), viaOf('')]).toEqual(['ssh', 'agent', 'agent']);
});

describe('a device with SSH settings', () => {
  it('is there as soon as the controller is in charge, and not before', () => {
    const ways = new Ways(false);
    expect(ways.known()).toBe('offline');
    expect(ways.routes.of('d1')).toBe('agent');
    ways.charge(true);
    expect(ways.known()).toBe(OWN);
    expect(ways.routes.of('d1')).toBe('ssh');
    ways.charge(false);
    expect(ways.known()).toBe('offline');
  });

  it('is reached by its agent while that is online, to and fro', () => {
    const ways = new Ways();
    for (const _ of [1, 2, 3]) {
      ways.agent(true);
      expect(ways.known()).toBe('a1');
      ways.agent(false);
      expect(ways.known()).toBe(OWN);
    }
  });

  it('keeps an agent that was heard before the controller was in charge', () => {
    const ways = new Ways(false);
    ways.agent(true);
    ways.charge(true);
    expect(ways.known()).toBe('a1');
    ways.charge(false);
    ways.agent(true);
    expect(ways.known()).toBe('a1');
  });

  it('is not there for want of charge when its agent goes, and the last will of an earlier boot changes nothing', () => {
    const ways = new Ways(false);
    ways.agent(true, 'a2');
    ways.agent(false, 'a1');
    expect(ways.known()).toBe('a2');
    ways.agent(false, 'a2');
    expect(ways.known()).toBe('offline');
  });

  it('is not taken for gone by the last will of its agent while it is reached over SSH', () => {
    const ways = new Ways();
    ways.agent(false, 'a0');
    expect(ways.known()).toBe(OWN);
  });

  it('goes when its settings do, and comes when there are some', () => {
    const ways = new Ways();
    ways.with_ssh.clear();
    ways.tell(ways.routes.look('d1'));
    expect(ways.known()).toBe('offline');
    ways.with_ssh.add('d1').add('d2');
    ways.tell(ways.routes.look('d1'));
    ways.tell(ways.routes.look('d2'));
    expect([ways.known(), ways.known('d2')]).toEqual([OWN, OWN]);
  });

  it('stays with its agent when its settings come or go meanwhile', () => {
    const ways = new Ways();
    ways.agent(true, 'a1');
    ways.with_ssh.clear();
    ways.tell(ways.routes.look('d1'));
    ways.agent(true, 'b1', 'd2');
    ways.with_ssh.add('d2');
    ways.tell(ways.routes.look('d2'));
    expect([ways.known(), ways.known('d2')]).toEqual(['a1', 'b1']);
    ways.agent(false, 'a1');
    expect(ways.known()).toBe('offline');
  });
});

describe('a device that is removed', () => {
  const remove = (ways: Ways) => {
    ways.with_ssh.clear();
    ways.tell(ways.routes.removed('d1'));
  };

  it('is gone without a word of its agent, and is reached over SSH when it is added again with such settings', () => {
    const ways = new Ways();
    ways.agent(true);
    remove(ways);
    expect(ways.known()).toBe('offline');
    ways.with_ssh.add('d1');
    ways.tell(ways.routes.look('d1'));
    expect(ways.known()).toBe(OWN);
  });

  it('is not given back to an agent that was held back when it was removed', () => {
    const ways = new Ways();
    ways.lease(OWN);
    ways.agent(true);
    remove(ways);
    ways.finish();
    expect(ways.known()).toBe('offline');
  });

  it('may be one of which nobody has heard', () => {
    expect(new Ways().routes.removed('d2')).toBe(null);
  });
});

describe('a run over SSH', () => {
  it('holds the agent back that comes meanwhile, until it is over', () => {
    const ways = new Ways();
    ways.lease(OWN);
    ways.agent(true);
    expect(ways.known()).toBe(OWN);
    expect(ways.routes.hears('d1', 'ssh', OWN)).toBe(true);
    expect(ways.routes.hears('d1', 'agent', 'a1')).toBe(false);
    ways.finish();
    expect(ways.known()).toBe('a1');
    expect(ways.routes.hears('d1', 'ssh', OWN)).toBe(false);
    expect([...ways.routes.waiting]).toEqual([]);
  });

  it('holds it back on deck too, and gives it when the run waits again', () => {
    const ways = new Ways();
    ways.bench.submit('r1', 'd1');
    ways.agent(true);
    expect(ways.known()).toBe(OWN);
    const reason = 'device-unreachable: no route';
    ways.bench.do({ type: 'declined', device: 'd1', run: 'r1', boot: OWN, token: null, nonce: null, reason });
    ways.step();
    expect(ways.known()).toBe('a1');
  });

  it.each([
    ['its own last will', 'a1', OWN],
    ['that of an earlier boot', 'a0', 'a1'],
  ])('forgets an agent that went again: %s', (_, boot, known) => {
    const ways = new Ways();
    ways.lease(OWN);
    ways.agent(true, 'a1');
    ways.agent(false, boot);
    ways.finish();
    expect(ways.known()).toBe(known);
  });

  it('goes on when the connection to the broker is lost, and holds agents back after that too', () => {
    const ways = new Ways();
    ways.lease(OWN);
    ways.agent(true, 'a1');
    ways.charge(false);
    expect(ways.known()).toBe('offline');
    ways.agent(true, 'a1');
    ways.charge(true);
    expect(ways.known()).toBe(OWN);
    ways.finish();
    expect(ways.known()).toBe('a1');
  });
});

describe('a run over the agent', () => {
  it('keeps its device from SSH until its lease is settled, though the agent has gone', () => {
    const ways = new Ways();
    ways.agent(true);
    ways.lease('a1');
    ways.agent(false);
    expect(ways.known()).toBe('offline');
    expect(ways.routes.hears('d1', 'ssh', OWN)).toBe(false);
    ways.finish();
    expect(ways.known()).toBe(OWN);
  });

  it.each([false, true])('is prepared anew over SSH when its agent goes before the start (ready: %s)', (ready) => {
    const ways = new Ways();
    ways.bench.begin('r0', 'd0');
    ways.agent(true);
    ways.bench.submit('r1', 'd1', { on_demand: true });
    if (ready) ways.bench.ready('r1', 'd1', 'n-1', 'a1');
    const effects = ways.agent(false);
    expect(only(effects, 'ended')).toEqual([]);
    expect(only(effects, 'prepare')).toMatchObject([{ run: 'r1' }]);
    expect(ways.routes.of('d1')).toBe('ssh');
    ways.agent(true);
    expect(ways.routes.hears('d1', 'agent', 'a1')).toBe(false);
  });
});

describe('after a restart', () => {
  const restarted = (...boots: string[]) => {
    const ways = new Ways(false);
    const leases = boots.map((boot, index) => row(index + 1, `r${index + 1}`, 'd1', { boot }));
    ways.bench.slots.recover(
      leases.map((lease) => found(lease)),
      0,
    );
    return ways;
  };

  it('a lease over SSH, also of an earlier controller, is asked over SSH as soon as we are in charge', () => {
    const ways = restarted('ssh-c0');
    ways.agent(true);
    expect(ways.known()).toBe('offline');
    const effects = ways.charge(true);
    expect(ways.known()).toBe(OWN);
    expect(only(effects, 'start')).toMatchObject([{ boot: 'ssh-c0' }]);
    ways.bench.declined('r1', 'd1', 1, OWN);
    ways.step();
    expect(ways.known()).toBe('a1');
  });

  it('a lease of an agent is waited for, and its device is not reached over SSH meanwhile', () => {
    const ways = restarted('a1');
    ways.charge(true);
    expect(ways.known()).toBe('offline');
    ways.agent(true, 'a2');
    expect(ways.known()).toBe('a2');
    ways.agent(false, 'a2');
    ways.bench.wait(40_000);
    ways.step();
    expect(ways.known()).toBe(OWN);
  });

  it('of leases over both ways each is heard on its own', () => {
    const ways = restarted('a1', 'ssh-c0');
    expect(ways.routes.hears('d1', 'agent', 'a1')).toBe(true);
    expect(ways.routes.hears('d1', 'ssh', OWN)).toBe(true);
  });
});

describe('what is not ours', () => {
  it('is passed on: a device without SSH settings', () => {
    const ways = new Ways();
    expect(ways.routes.status('d2', true, 'b1')).toEqual({ type: 'status', device: 'd2', online: true, boot: 'b1' });
    ways.agent(true, 'b1', 'd2');
    ways.agent(false, 'b1', 'd2');
    expect(ways.known('d2')).toBe('offline');
    expect(ways.routes.look('d2')).toBe(null);
    expect(ways.routes.hears('d3', 'agent', 'x')).toBe(true);
  });

  it('is not listened to: an agent that speaks as if it were a controller', () => {
    const ways = new Ways();
    ways.agent(true, 'ssh-c0');
    expect(ways.known()).toBe(OWN);
    expect(ways.routes.hears('d1', 'agent', 'ssh-c0')).toBe(false);
    expect(ways.routes.hears('d1', 'ssh', 'a1')).toBe(false);
  });
});
