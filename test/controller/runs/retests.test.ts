import { describe, expect, it } from 'vitest';
import type { TestPlan } from '../../../broker/contract/messages.ts';
import { HOLD_MS } from '../../../controller/alerts/step.ts';
import type { AlertSettings } from '../../../controller/config/settings.ts';
import { retestPlan } from '../../../controller/runs/retest-plan.ts';
import { Retests } from '../../../controller/runs/retests.ts';
import { ControllerFixture, testPlan } from '../../helpers/controller-fixture.ts';
import { corpusOutput } from '../../helpers/iperf3-output.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { until } from '../../helpers/until.ts';
import { AlertFixture } from '../alerts/alert-fixture.ts';
import { rule, T0 } from '../alerts/rules.ts';

const UP = testPlan();
const DOWN = testPlan({ test: 'tcp-download', direction: 'download' });
const BOTH = testPlan({ test: 'tcp-bidir', direction: 'bidir' });
const UDP = testPlan({ test: 'udp-upload', protocol: 'udp', bitrate: 'auto' });

const named = (metric: string, tests: TestPlan[]) => retestPlan(metric, tests).map(({ test }) => test);

describe('the tests of a confirming run', () => {
  it('are those that measure the metric', () => {
    expect(named('tcp.download.bits_per_second', [UP, DOWN, BOTH, UDP])).toEqual(['tcp-download', 'tcp-bidir']);
    expect(named('udp.upload.jitter_ms', [UP, { ...UDP, bitrate: 5e6 }])).toEqual(['udp-upload']);
  });

  it('have the TCP test before them that an automatic bitrate comes from', () => {
    expect(named('udp.upload.jitter_ms', [DOWN, UP, UDP])).toEqual(['tcp-upload', 'udp-upload']);
  });

  it('are all for the success of a run, and none when the check measures no such thing', () => {
    expect(named('run.success', [UP, DOWN])).toEqual(['tcp-upload', 'tcp-download']);
    expect(named('udp.download.jitter_ms', [UP, DOWN])).toEqual([]);
  });
});

/** Fires when an upload is below 1 Gbit/s, which that of the corpus is, once another run has confirmed it. */
const slow = (changes: Partial<AlertSettings> = {}): AlertSettings =>
  rule({
    metric: 'tcp.upload.bits_per_second',
    condition: { kind: 'below', threshold: 1e12, clear: 1e12 },
    ...{ breaches: 1, of: 1, retest: true, ...changes },
  });

const OUTPUT = corpusOutput('v3.12__tcp_up.json');

/** A device with one bad run, after which its agent is asked for another one. */
const badRun = async (alerts: AlertSettings[], tests = [DOWN, UP]) => {
  const world = await ControllerFixture.start({
    check: { tests, retries: 0 },
    settings: {
      alerts,
      receivers: new Map([['noc', { kind: 'webhook', url: 'http://127.0.0.1:9', secret: null, ca: null }]]),
    },
  });
  const agent = await world.agent('ap-1');
  world.order('ap-1', 's-1');
  const start = await agent.begin('nonce-1');
  await agent.finished(start);
  await agent.result(start, [OUTPUT]);
  return { world, agent };
};

const states = async ({ controller }: ControllerFixture) => {
  const { alerts } = await controller.fleet.alerts.list({ all: false, limit: 9 });
  return alerts.map(({ rule: name, state, reason }) => ({ rule: name, state, reason }));
};

describe('an alert that a second run is to confirm', () => {
  it('has one run ordered for all rules of a device, of their tests only and against the same server', async () => {
    const { world, agent } = await badRun([slow(), slow({ name: 'slower', severity: 'critical' })]);
    const { run, tests } = await agent.next('prepare');
    expect(tests.map(({ test }) => test)).toEqual(['tcp-upload']);
    expect(await states(world)).toMatchObject([
      { rule: 'slow', state: 'pending', reason: expect.stringMatching(`a confirming run is awaited: ${run}`) },
      { rule: 'slower', state: 'pending', reason: expect.stringMatching(`a confirming run is awaited: ${run}`) },
    ]);
    expect(world.controller.fleet.runs.records({})).toHaveLength(2);
    await agent.ready(run, 'nonce-2');
    const start = await agent.next('start');
    await agent.finished(start);
    await agent.result(start, [OUTPUT]);
    await until('both fire', async () => (await states(world)).every(({ state }) => state === 'firing'));
    expect(world.controller.fleet.status().receivers).toMatchObject([{ waiting: 2 }]);
    expect(world.controller.fleet.runs.records({})).toHaveLength(2);
  });

  it('shares a run that is open already, when that measures the same against the same server', () => {
    const { store, alerts, settings } = new AlertFixture([rule()]);
    const submitted: string[] = [];
    const submit = (run: string) => submitted.push(run);
    const clock = { wall: () => T0 };
    const retests = new Retests({ settings: () => settings, store, alerts, clock, log: new RecordedLog(), submit });
    const of = (metric: string, server = 'server-0') => ({ rule: 'slow', metric, device: 'ap-1', server, run: 'r-1' });
    const jitter = of('udp.upload.jitter_ms');
    const upload = of('tcp.upload.bits_per_second');
    retests.order([jitter]);
    retests.order([upload]);
    expect(submitted).toHaveLength(1);
    retests.order([of('tcp.download.bits_per_second'), { ...upload, server: 'server-1' }]);
    retests.order([{ ...upload, device: 'gone' }]);
    const plans = submitted.map((run) => store.runs.get(run));
    expect(plans.map((run) => [run?.server, run?.tests.map(({ test }) => test)])).toEqual([
      ['server-0', ['tcp-upload', 'udp-upload']],
      ['server-0', ['tcp-download']],
      ['server-1', ['tcp-upload']],
    ]);
    expect(plans[0]).toMatchObject({ origin: 'retest', window_end_ms: T0 + HOLD_MS });
  });

  it('fires at once when the run ends without a value', async () => {
    const { world, agent } = await badRun([slow()]);
    const { run } = await agent.next('prepare');
    world.controller.fleet.runs.cancel(run);
    await until('it fires', async () => (await states(world))[0]?.state === 'firing');
  });

  it('is not confirmed by a check that has lost the test', async () => {
    const world = await ControllerFixture.start({
      check: { tests: [UP], retries: 0 },
      settings: { alerts: [slow()] },
    });
    const agent = await world.agent('ap-1');
    world.order('ap-1');
    const start = await agent.begin('nonce-1');
    const [known] = world.settings.organizations.values();
    if (known === undefined) throw new Error('there is an organization');
    const without = { ...known, check: { ...known.check, tests: [DOWN] } };
    world.controller.reload({ ...world.settings, organizations: new Map([['default', without]]) });
    await agent.finished(start);
    await agent.result(start, [OUTPUT]);
    await agent.next('accepted');
    expect(await states(world)).toMatchObject([{ state: 'pending', reason: expect.stringMatching(/run is awaited$/) }]);
    expect(world.controller.fleet.runs.records({})).toHaveLength(1);
    expect(world.log.lines.map(({ message }) => message)).toContain(
      'the check measures nothing that could confirm an alert: it ends soon',
    );
  });
});
