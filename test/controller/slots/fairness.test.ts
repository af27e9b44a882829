import { describe, expect, it } from 'vitest';
import { charge, emptyAccounts, startOf } from '../../../controller/slots/fairness.ts';
import { only, SlotBench, TEN_SECONDS } from '../../helpers/slot-bench.ts';

/** Serves whoever is on deck, run after run, until `count` have been; returns how often each organization was. */
const serve = (bench: SlotBench, count: number): Map<string, number> => {
  const served = new Map<string, number>();
  for (let index = 0; index < count; index += 1) {
    const on_deck = bench.slots.view()[0]?.on_deck;
    if (!on_deck) break;
    const { run, device } = on_deck;
    const [start] = only(bench.ready(run, device), 'start');
    const organization = run.split('-')[0] ?? '';
    served.set(organization, (served.get(organization) ?? 0) + 1);
    bench.now += organization === 'long' ? 40_000 : 10_000;
    bench.finished(run, device, start?.token ?? 0);
  }
  return served;
};

const backlog = (bench: SlotBench, organization: string, runs: number, more: object = {}) => {
  for (let index = 0; index < runs; index += 1) {
    bench.online(`${organization}-d${index}`);
    bench.submit(`${organization}-r${index}`, `${organization}-d${index}`, { organization, ...more });
  }
};

describe('organizations on a shared server', () => {
  it('take turns, however many runs one of them has, and whoever came first', () => {
    const bench = new SlotBench();
    backlog(bench, 'big', 200);
    backlog(bench, 'small', 20);
    const served = serve(bench, 20);
    expect(Math.abs((served.get('big') ?? 0) - (served.get('small') ?? 0))).toBeLessThanOrEqual(1);
  });

  it('have slot time in the ratio of their priorities', () => {
    const bench = new SlotBench();
    backlog(bench, 'three', 100, { priority: 30 });
    backlog(bench, 'one', 100, { priority: 10 });
    const served = serve(bench, 80);
    expect(served.get('three')).toBeGreaterThanOrEqual(59);
    expect(served.get('three')).toBeLessThanOrEqual(61);
  });

  it('pay for the length of their runs', () => {
    const bench = new SlotBench();
    backlog(bench, 'long', 60, { tests: [{ ...TEN_SECONDS, duration_s: 40 }] });
    backlog(bench, 'short', 60);
    const served = serve(bench, 50);
    expect(served.get('short')).toBeGreaterThanOrEqual(39);
    expect(served.get('short')).toBeLessThanOrEqual(41);
  });

  it('pay for what their runs really took, with the rest that a vanished device brings about', () => {
    const bench = new SlotBench();
    backlog(bench, 'vanishing', 40);
    backlog(bench, 'good', 400);
    const had = new Map([
      ['vanishing', 0],
      ['good', 0],
    ]);
    while (bench.now < 2_400_000) {
      const { run = '', device = '' } = bench.slots.view()[0]?.on_deck ?? {};
      const organization = run.split('-')[0] ?? '';
      const [start] = only(bench.ready(run, device), 'start');
      if (start === undefined) {
        bench.wait(1000);
        continue;
      }
      const since = bench.now;
      bench.started(run, device, start.token);
      if (organization === 'vanishing') while (bench.states[0] !== 'idle') bench.wait(1000);
      else {
        bench.wait(10_000);
        bench.finished(run, device, start.token);
      }
      had.set(organization, (had.get(organization) ?? 0) + bench.now - since);
    }
    // Within one lease and its rest.
    expect(Math.abs((had.get('vanishing') ?? 0) - (had.get('good') ?? 0))).toBeLessThan(200_000);
  });

  it('do not save up what they did not use', () => {
    const bench = new SlotBench();
    backlog(bench, 'early', 100);
    serve(bench, 50);
    backlog(bench, 'late', 50);
    const served = serve(bench, 20);
    expect(served.get('early')).toBeGreaterThanOrEqual(9);
  });

  it('pay for what the server loses by waiting for their silent devices', () => {
    const bench = new SlotBench();
    backlog(bench, 'silent', 20);
    backlog(bench, 'good', 20);
    const seated: string[] = [];
    for (let index = 0; index < 12; index += 1) {
      const { run = '', device = '' } = bench.slots.view()[0]?.on_deck ?? {};
      seated.push(run.split('-')[0] ?? '');
      if (run.startsWith('silent')) bench.wait(5000);
      else {
        const [start] = only(bench.ready(run, device), 'start');
        bench.now += 10_000;
        bench.finished(run, device, start?.token ?? 0);
      }
    }
    // Half of the time each: one that measures takes twice as long as one that is waited for.
    expect(seated.filter((organization) => organization === 'good')).toHaveLength(4);
  });

  it('wait for a person of any of them', () => {
    const bench = new SlotBench();
    backlog(bench, 'a', 5, { priority: 100 });
    bench.online('b-d');
    bench.submit('b-r', 'b-d', { organization: 'b', priority: 1, on_demand: true });
    const [first] = bench.slots.view();
    bench.ready(first?.on_deck?.run ?? '', first?.on_deck?.device ?? '');
    expect(bench.slots.view()).toMatchObject([{ on_deck: { run: 'b-r' } }]);
  });
});

describe('in one organization', () => {
  it('the higher priority goes first, then who was submitted first', () => {
    const bench = new SlotBench();
    bench.begin('r0', 'd0');
    for (const [index, priority] of [10, 50, 10, 50].entries()) {
      bench.online(`d${index + 1}`);
      bench.submit(`r${index + 1}`, `d${index + 1}`, { priority });
    }
    const order: string[] = [];
    bench.finished('r0', 'd0', 1);
    for (let token = 2; token <= 5; token += 1) {
      const { run = '', device = '' } = bench.slots.view()[0]?.on_deck ?? {};
      order.push(run);
      bench.ready(run, device);
      bench.finished(run, device, token);
    }
    expect(order).toEqual(['r1', 'r2', 'r4', 'r3']);
  });
});

describe('accounts', () => {
  it('of organizations that are behind the present are forgotten', () => {
    const accounts = emptyAccounts();
    for (let index = 0; index < 10_000; index += 1) charge(accounts, `o${index}`, 1, 1);
    charge(accounts, 'o', 1000, 1);
    for (let index = 0; index < 10_000; index += 1) {
      charge(accounts, 'o', 1, 1);
      charge(accounts, `late${index}`, 1, 1);
    }
    expect(accounts.finish.size).toBeLessThan(50);
    expect(startOf(accounts, 'new')).toBe(accounts.virtual_time);
  });
});
